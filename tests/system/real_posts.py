#!/usr/bin/env python3
"""Real posts, two writers, a relay between, a reader who knows the relay alone; then the bundle of
both, whole and damaged in every way. Usage: real_posts.py BUILD_DIR [--newest N] [--flips N]"""
import argparse
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
from people import Failed, Person, expect_same_posts, ndjson, read_posts, wait_until  # noqa: E402

POSTS = ROOT / "tests" / "data" / "posts.jsonl"


class Tap:
    def __init__(self):
        self.number, self.failed = 0, 0

    def check(self, name, holds, words=""):
        self.number += 1
        self.failed += not holds
        print(f"{'ok' if holds else 'not ok'} {self.number} - {name}", flush=True)
        if words and not holds:
            print(f"# {words}")


def travel(tap, build, folder, posts):
    relay = Person(build, folder, "relay", relay=True)
    writers = [Person(build, folder, f"writer-{n}") for n in "ab"]
    reader = Person(build, folder, "reader")
    try:
        relay.start()
        for person in [*writers, reader]:
            person.make()
        for writer in writers:
            writer.start(peers=[relay.address])
            reader.parley("follow", writer.author)
        reader.start(peers=[relay.address])
        for writer, texts in zip(writers, posts.values()):
            done = writer.parley("post", "--ndjson", text=ndjson(texts))
            tap.check(f"{writer.name}: every post acknowledged",
                      len(done.stdout.splitlines()) == len(texts))
        authors = [w.author for w in writers]
        for writer in writers:
            wait_until(f"the digest of {writer.name}", lambda w=writer:
                       w.digest(w.author) == relay.digest(w.author) == reader.digest(w.author))
            tap.check(f"{writer.name}: one digest at writer, relay and reader", True)
        for writer, texts in zip(writers, posts.values()):
            expect_same_posts(reader, writer.author, texts)
            tap.check(f"{writer.name}: complete, newest first, byte for byte", True)
        times = [p["time"] for p in reader.json("timeline", "--limit", "0")]
        total = sum(len(t) for t in posts.values())
        tap.check("the whole timeline, newest first",
                  times == sorted(times, reverse=True) and len(times) == total, f"{len(times)}")
        bundle = folder / "both.parley"
        bundle.write_bytes(reader.parley("export", "--author", authors[0],
                                         "--author", authors[1]).stdout)
        other = Person(build, folder, "other")
        other.make()
        other.parley("import", str(bundle))
        for writer in writers:
            tap.check(f"{writer.name}: imported from the bundle, the same digest",
                      other.digest(writer.author) == reader.digest(writer.author))
        return bundle
    finally:
        for person in [relay, *writers, reader]:
            person.stop()


def verify(build, data):
    command = [str(build / "tools" / "parley" / "parley"), "verify", "-"]
    return subprocess.run(command, input=data, capture_output=True, timeout=120)


def names_a_place(done):
    words = done.stderr.decode(errors="replace")
    return done.returncode == 1 and ("entry" in words or "byte" in words or "/" in words)


def damage(tap, build, bundle, flips):
    whole = bundle.read_bytes()
    done = verify(build, whole)
    tap.check("the bundle verifies with no home", done.returncode == 0, done.stderr.decode())
    chance = random.Random(7)
    passed = []
    for _ in range(flips):
        bit = chance.randrange(len(whole) * 8)
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        if not names_a_place(verify(build, bytes(data))):
            passed.append(bit)
    tap.check(f"{flips} single-bit flips refused, the place named", not passed, str(passed[:5]))
    cuts = [c for c in sorted(chance.sample(range(len(whole)), min(200, len(whole))))
            if not names_a_place(verify(build, whole[:c]))]
    tap.check("cuts refused, the place named", not cuts, str(cuts[:5]))
    done = verify(build, whole + b"\0")
    tap.check("trailing bytes refused, the place named", names_a_place(done), done.stderr.decode())


def items_of(data):
    """Where the entries of a bundle's only chunk lie: (start, end) of each."""
    at = 8
    while True:  # sections: [kind, bin]
        kind, size_at = data[at + 1], at + 2
        width = {0xC4: 1, 0xC5: 2, 0xC6: 4}[data[size_at]]
        start = size_at + 1 + width
        size = int.from_bytes(data[size_at + 1:start], "big")
        if kind == 2:
            break
        at = start + size
    # chunk: [log bin32, seq fixint, prev bin32, [item...]]
    at = start + 1 + 34 + 1 + 34
    count, at = data[at] & 15, at + 1
    places = []
    for _ in range(count):  # item: [delta, bin80, bin]
        begin, at = at, at + 1
        at += 1 + {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}.get(
            data[at], 0)
        at += 2 + data[at + 1]
        at += 2 + data[at + 1] if data[at] == 0xC4 else 3 + int.from_bytes(data[at + 1:at + 3], "big")
        places.append((begin, at))
    return places


def damage_small(tap, build, folder):
    """A bundle of a few entries: cut at every byte, and any two entries exchanged."""
    person = Person(build, folder, "small")
    person.parley("init")
    for n in range(5):
        person.parley("post", f"number {n}")
    data = person.parley("export").stdout
    tap.check("a small bundle verifies", verify(build, data).returncode == 0)
    passed = [n for n in range(len(data)) if not names_a_place(verify(build, data[:n]))]
    tap.check(f"cut at each of {len(data)} bytes, entry boundaries among them: refused", not passed,
              str(passed[:5]))
    places = items_of(data)
    passed = []
    for i in range(len(places)):
        for j in range(i + 1, len(places)):
            (a, b), (c, d) = places[i], places[j]
            swapped = data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]
            if not names_a_place(verify(build, swapped)):
                passed.append((i, j))
    tap.check(f"any two of {len(places)} entries exchanged: refused, the entry named",
              len(places) == 5 and not passed, str(passed[:5]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--newest", type=int, default=None)
    parser.add_argument("--flips", type=int, default=100)
    options = parser.parse_args()
    os.environ.pop("PARLEY_HOME", None)
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="parley-travel-") as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        folder, build = pathlib.Path(name), options.build.resolve()
        try:
            bundle = travel(tap, build, folder, read_posts(POSTS, options.newest))
            damage(tap, build, bundle, options.flips)
            damage_small(tap, build, folder)
        except (Failed, subprocess.SubprocessError) as failure:
            tap.check("travels", False, str(failure).replace("\n", " "))
            for log in sorted(folder.glob("*.log")):
                for line in log.read_text(errors="replace").splitlines()[-15:]:
                    print(f"# {log.name}: {line}")
    print(f"1..{tap.number}")
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
