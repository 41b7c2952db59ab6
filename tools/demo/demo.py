#!/usr/bin/env python3
"""Parley, shown: real posts travel between encrypted nodes, outlive the node that wrote them, and
verify from a file with no node at all.

Usage: demo.py [--build DIR] [--all] [--keep]

Two writers' nodes, a relay and a reader run on this machine alone; the reader knows the relay's
address and no other. Everything that is said below was seen: exit status 1 if any of it did not
hold.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from people import Failed, Person, expect_same_posts, ndjson, read_posts, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
POSTS = ROOT / "tests" / "data" / "posts.jsonl"
NEWEST_PER_AUTHOR = 150


class Screen:
    """Words for people; a line that is written over only where there is a terminal."""

    def __init__(self):
        self.tty = sys.stdout.isatty()
        self.began = time.monotonic()
        self.open = False

    def say(self, text=""):
        if self.open:
            sys.stdout.write("\r\033[K")
            self.open = False
        print(text, flush=True)

    def step(self, text):
        self.say()
        self.say(f"── {text}")

    def progress(self, text):
        if self.tty:
            sys.stdout.write(f"\r\033[K   {text}")
            sys.stdout.flush()
            self.open = True


screen = Screen()


def shown(text, width=68):
    """One line of a post, with nothing in it that a terminal would obey."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def flip_a_bit(bundle, damaged):
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 0x10
    damaged.write_bytes(data)


def play(build, folder, everything):
    posts = read_posts(POSTS, None if everything else NEWEST_PER_AUTHOR)
    total = sum(len(p) for p in posts.values())
    screen.say("parley: posts that survive the node they were written on.")
    screen.say(f"Texts: {total:,} real posts of two public accounts "
               "(FiveThirtyEight, twitter-ratio; CC BY 4.0), used as data only.")

    screen.step("Four nodes on this machine. Each has its own folder and its own keys.")
    relay = Person(build, folder, "Relay", relay=True)
    writers = [Person(build, folder, f"Writer {name}") for name in ("A", "B")]
    reader = Person(build, folder, "Reader")
    cast = [relay, *writers, reader]
    try:
        relay.start()
        screen.say(f"   The relay carries for everybody.     {relay.address[:34]}…")
        for person in [*writers, reader]:
            person.make()
        for writer in writers:
            writer.start(peers=[relay.address])
            screen.say(f"   {writer.name} has a name that is a key.   {writer.author[:24]}…")
        for writer in writers:
            reader.parley("follow", writer.author)
        reader.start(peers=[relay.address])
        screen.say("   The reader follows both writers, and is connected to the relay alone.")

        screen.step("The writers write. Each post is signed, and on disk before it is answered.")
        for writer, (_, texts) in zip(writers, posts.items()):
            began = time.monotonic()
            done = writer.parley("post", "--ndjson", text=ndjson(texts))
            count = len(done.stdout.splitlines())
            if count != len(texts):
                raise Failed(f"{writer.name}: {count} of {len(texts)} posts were acknowledged")
            spent = time.monotonic() - began
            screen.say(f"   {writer.name}: {count:,} posts in {spent:.2f} s")

        screen.step("The posts travel: writer → relay → reader, encrypted on each way.")
        authors = [writer.author for writer in writers]

        def travelled():
            counts = [reader.count(a) for a in authors]
            if sum(counts) < total:
                return f"{sum(counts):,} of {total:,} have reached the reader"
            return relay.digest(*authors) == reader.digest(*authors)

        began = time.monotonic()
        wait_until("the posts at the reader", travelled, progress=screen.progress)
        for writer in writers:
            if writer.digest(writer.author) != reader.digest(writer.author):
                raise Failed(f"the digests of {writer.name} differ")
        screen.say(f"   All {total:,} arrived, {time.monotonic() - began:.1f} s after the last was written.")
        screen.say(f"   One digest on all of them: {reader.digest(*authors)[:32]}…")
        for writer, texts in zip(writers, posts.values()):
            expect_same_posts(reader, writer.author, texts)
        screen.say("   The reader's timeline: complete, newest first, equal byte for byte. Its newest:")
        for post in reader.json("timeline", "--limit", "3"):
            screen.say(f"     “{shown(post['text'])}”")

        screen.step("Writer A's node is killed, with no farewell (kill -9). Nobody restarts it.")
        writers[0].kill()
        late = Person(build, folder, "Latecomer")
        cast.append(late)
        late.make()
        late.parley("follow", writers[0].author)
        late.start(peers=[relay.address])
        expected = len(list(posts.values())[0])
        wait_until("writer A's posts at a newcomer",
                   lambda: late.count(writers[0].author) == expected
                   and late.digest(writers[0].author) == reader.digest(writers[0].author))
        expect_same_posts(late, writers[0].author, list(posts.values())[0])
        screen.say(f"   A newcomer who knows only the relay has all {expected:,} posts of A, verified.")

        screen.step("The relay is killed too, B goes on writing, and the relay comes back.")
        port = relay.address.rsplit(":", 1)[1]
        relay.kill()
        words = "Written while the relay was gone."
        writers[1].parley("post", words)
        screen.say(f"   B, with nobody to talk to: “{words}”")
        relay.start(listen=f"127.0.0.1:{port}")
        screen.say("   The relay is back, with everything it had acknowledged.")
        wait_until("B's new post at the reader",
                   lambda: any(p["text"] == words for p in reader.json("timeline", "--limit", "5")))
        screen.say("   The reader has it.")

        screen.step("A file instead of a network: a bundle, verified with no node and no home.")
        bundle, damaged = folder / "both.parley", folder / "damaged.parley"
        exported = reader.parley("export", "--author", authors[0], "--author", authors[1])
        bundle.write_bytes(exported.stdout)
        nobody = Person(build, folder, "nobody")
        checked = nobody.parley("verify", str(bundle))
        if nobody.home.exists():
            raise Failed("verify made a home")
        screen.say(f"   {bundle.stat().st_size:,} bytes. {checked.stdout.decode().strip().splitlines()[-1]}")
        flip_a_bit(bundle, damaged)
        refused = nobody.parley("verify", str(damaged), check=False)
        if refused.returncode != 1:
            raise Failed(f"a damaged bundle: status {refused.returncode}, not 1")
        screen.say("   The same file with one bit flipped is refused:")
        screen.say(f"     {refused.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    finally:
        for person in cast:
            try:
                person.stop()
            except Failed as failure:
                screen.say(f"   {failure}")


def main():
    parser = argparse.ArgumentParser(description="Parley, shown on this machine.")
    parser.add_argument("--build", type=pathlib.Path,
                        default=os.environ.get("PARLEY_BUILD", ROOT / "build"))
    parser.add_argument("--all", action="store_true", help="all 6,439 posts instead of 300")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the four homes")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-demo-"))
    os.environ.pop("PARLEY_HOME", None)
    os.environ["XDG_STATE_HOME"] = str(folder / "state")
    try:
        play(pathlib.Path(options.build).resolve(), folder, options.all)
    except (Failed, subprocess.SubprocessError, OSError) as failure:
        screen.say()
        screen.say(f"The demonstration failed: {failure}")
        screen.say(f"What the nodes said is in {folder}/*.log")
        return 1
    spent = time.monotonic() - screen.began
    screen.step(f"All of it held, in {spent:.0f} s.")
    screen.say("   Now a node of your own: tools/dev run")
    if options.keep:
        screen.say(f"   The homes are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
