"""Damage to the files of a home, one at a time: a flipped byte, a file that is cut, a file that is
gone. Whatever happens, no invalid post is ever served, and what was there is there, or an error says
that it is not. Usage: damage_test.py PARLEYD PARLEY [--flips N] [--cuts N]"""
import argparse
import json
import os
import random
import shutil
import subprocess

import nodes
from nodes import lines_of_posts

COMMANDS = 60  # seconds that one may take


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("parleyd")
    parser.add_argument("parley")
    parser.add_argument("--flips", type=int, default=40)
    parser.add_argument("--cuts", type=int, default=1, help="of each file, besides to nothing")
    return parser.parse_args()


OPTIONS = options()


def parley(home, *words):
    return subprocess.run([nodes.PARLEY, "--home", home, *words], capture_output=True,
                          timeout=COMMANDS)


def texts_of(shown):
    """Of those that are shown with their words; others are there without."""
    texts = [json.loads(line)["text"] for line in shown.stdout.splitlines()]
    return [text for text in texts if text is not None]


class Victim:
    """A home with tables, log and manifest, put back before each damage; what it says when well."""

    def __init__(self, scratch):
        self.good = scratch.home("good").init()
        self.good.start()
        large = "".join(json.dumps({"text": "y" * 3000 + str(i)}) + "\n" for i in range(900))
        self.good.parley("post", "--ndjson", text=large)
        assert self.good.end() == 0
        self.good.parley("post", "--ndjson", text=lines_of_posts(300))
        self.state = os.path.join(scratch.folder, "state")
        self.kept_state = os.path.join(scratch.folder, "kept-state")
        self.home = os.path.join(scratch.folder, "victim")
        self.texts = self.posts(self.good.path)
        self.digest = parley(self.good.path, "digest").stdout
        self.author = self.good.json("id")[0]["author"]
        shutil.copytree(self.state, self.kept_state)  # last: each command moves the lease on
        os.rename(self.good.path, self.home + ".good")
        os.mkdir(self.good.path)
        self.files = sorted(os.path.relpath(os.path.join(folder, name), self.home + ".good")
                            for folder, _, names in os.walk(self.home + ".good") for name in names
                            if os.path.getsize(os.path.join(folder, name)) > 0)

    @staticmethod
    def posts(home):
        done = parley(home, "--json", "timeline", "--limit", "0")
        return texts_of(done)

    def put_back(self):
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.home + ".good", self.home)
        shutil.rmtree(self.state)
        shutil.copytree(self.kept_state, self.state)

    def path(self, name):
        return os.path.join(self.home, name)

    def judge(self, what):
        """Either all is there, or something said that it is not."""
        shown = parley(self.home, "--json", "timeline", "--limit", "0")
        exported = parley(self.home, "export", "--author", self.author)
        digest = parley(self.home, "digest")
        checked = parley(self.home, "check")
        said = [d for d in (shown, exported, digest) if d.returncode != 0]
        for done in (shown, exported, digest, checked):
            assert done.returncode in (0, 1, 4), (what, done.returncode, done.stderr)
            assert done.returncode == 0 or done.stderr.startswith((b"parley: ", b"warning ")), (
                what, done.stderr)
        texts = texts_of(shown)
        assert set(texts) <= set(self.texts), f"{what}: a post is shown that was never written"
        if exported.returncode == 0:
            verified = subprocess.run([nodes.PARLEY, "verify", "-"], input=exported.stdout,
                                      capture_output=True, timeout=COMMANDS)
            assert verified.returncode == 0, f"{what}: {verified.stderr}"
        is_whole = texts == self.texts and digest.stdout == self.digest
        assert is_whole or said, f"{what}: {len(texts)} of {len(self.texts)} posts, nothing said"
        return is_whole, checked.returncode == 0


def judge_all(victim, damages):
    """Each damage is a name, words and what to do; how many left all as it was, how many were
    named by the check."""
    whole = named = count = 0
    for name, words, damage in damages:
        victim.put_back()
        damage(victim.path(name))
        is_whole, is_sound = victim.judge(f"{name}: {words}")
        whole += is_whole
        named += not is_sound
        count += 1
        # What the check calls sound is whole.
        assert is_whole or not is_sound or not name.startswith("db/"), f"{name}: {words}: not found"
    return count, whole, named


def flip(place, bit):
    def damage(path):
        with open(path, "r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ bit]))
    return damage


def cut(size):
    return lambda path: os.truncate(path, size)


def flips(victim, chance):
    """As many in each kind of file, wherever its bytes are."""
    for number in range(OPTIONS.flips):
        name = victim.files[number % len(victim.files)]
        place = chance.randrange(os.path.getsize(victim.home + ".good/" + name))
        bit = 1 << chance.randrange(8)
        yield name, f"bit {bit} of byte {place}", flip(place, bit)


def cuts(victim, chance):
    for name in victim.files:
        size = os.path.getsize(victim.home + ".good/" + name)
        yield name, "gone", os.unlink
        yield name, "empty", cut(0)
        for _ in range(OPTIONS.cuts):
            end = chance.randrange(size)
            yield name, f"cut to {end} of {size} bytes", cut(end)


def flipped_bytes_are_harmless_or_named(scratch):
    victim = Victim(scratch)
    count, whole, named = judge_all(victim, flips(victim, random.Random(1)))
    print(f"# {count} flips in {len(victim.files)} files: {whole} changed nothing, {named} named")
    assert named > 0


def a_timeline_without_its_index_says_so(scratch):
    """The rows that order what is shown stand at the end of a table, beside what only speeds it up."""
    victim = Victim(scratch)
    table = max((name for name in victim.files if name.endswith(".ldb")),
                key=lambda name: os.path.getsize(victim.home + ".good/" + name))
    size, refused = os.path.getsize(victim.home + ".good/" + table), 0
    for place in range(size - 30000, size, 1500):
        victim.put_back()
        flip(place, 1)(victim.path(table))
        shown = parley(victim.home, "--json", "timeline", "--limit", "0")
        refused += shown.returncode == 4 and b"damaged" in shown.stderr
        texts = texts_of(shown)
        assert shown.returncode == 4 or texts == victim.texts, (
            f"byte {place} of {size}: {len(texts)} posts, status {shown.returncode}")
    assert refused > 0


def files_cut_or_gone_are_named(scratch):
    victim = Victim(scratch)
    count, whole, named = judge_all(victim, cuts(victim, random.Random(2)))
    print(f"# {count} cuts in {len(victim.files)} files: {whole} changed nothing, {named} named")
    assert named > 0


def repair_brings_back_what_is_whole(scratch):
    """Copies first, loses only what is damaged, and never goes on in the log that may have lost its
    end."""
    victim = Victim(scratch)
    for name in [f for f in victim.files if f.startswith("db/") and "LOG" not in f]:
        victim.put_back()
        path = victim.path(name)
        before = open(path, "rb").read()
        flip(os.path.getsize(path) // 2, 4)(path)
        damaged = open(path, "rb").read()
        assert before != damaged
        done = parley(victim.home, "--json", "repair")
        assert done.returncode == 0, (name, done.stderr)
        report = json.loads(done.stdout.splitlines()[-1])
        kept = open(os.path.join(report["copy"], os.path.basename(name)), "rb").read()
        assert kept == damaged, f"{name}: the copy is not what was there"
        checked = parley(victim.home, "check")
        assert checked.returncode == 0, (name, checked.stdout, checked.stderr)
        texts = victim.posts(victim.home)
        assert set(texts) <= set(victim.texts)
        posted = parley(victim.home, "--json", "post", "after the repair")
        if posted.returncode == 0:
            logs = {json.loads(line)["log"] for line in parley(
                victim.home, "--json", "timeline", "--limit", "0").stdout.splitlines()}
            assert len(logs) == (2 if texts else 1), (name, len(logs))


nodes.run(flipped_bytes_are_harmless_or_named, a_timeline_without_its_index_says_so,
          files_cut_or_gone_are_named, repair_brings_back_what_is_whole)
