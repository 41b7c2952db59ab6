#!/usr/bin/env python3
"""A flood of strangers against a node with a quota that follows fifty people: whom it follows and its
own posts stay whole, and the files of its database stay below the quota.
Usage: quota.py BUILD_DIR [--strangers N] [--followed N] [--posts N_EACH] [--quota BYTES]"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
from people import Failed, Person, wait_until  # noqa: E402

OWN_POSTS = 20
TOLERANCE = 1.05
QUIET_SECONDS = 8
FIRST_SECONDS = 15


def bundle(build, path, authors, posts):
    with open(path, "wb") as out:
        subprocess.run([str(build / "tools" / "bench" / "make_bundle"), str(authors), str(posts)],
                       stdout=out, check=True)


def folder_bytes(person):
    total = 0
    for path in (person.home / "db").iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            pass  # compacted away meanwhile
    return total


def limit(person, quota):
    with open(person.home / "parleyd.conf", "a", encoding="utf-8") as out:
        out.write(f"quota = {quota}\n")


class Watch:
    """The folder's size over time, and when nothing moves any more."""

    def __init__(self, person):
        self.person, self.peak, self.shown = person, 0, 0
        self.began = self.moved = time.monotonic()
        self.last = None

    def is_quiet(self):
        status = self.person.json("status")[0]
        files, now = folder_bytes(self.person), time.monotonic()
        self.peak = max(self.peak, files)
        if now - self.shown > 5:
            self.shown = now
            print(f"# {now - self.began:.0f} s: files {files}, held {status['held_bytes']}, strangers "
                  f"{status['strangers_bytes']}, {status['entries']} entries of {status['authors']}, "
                  f"{status['state']}", flush=True)
        seen = (files, status["entries"], status["authors"])
        if seen != self.last:
            self.last, self.moved = seen, now
        return now - self.moved > QUIET_SECONDS


def flood(build, folder, options):
    source, node = (Person(build, folder, name, relay=True) for name in ("source", "node"))
    try:
        node.make()
        source.home.mkdir(mode=0o700)
        limit(source, 0)
        limit(node, options.quota)
        source.start()
        node.start()
        few, many = folder / "few.parley", folder / "many.parley"
        bundle(build, few, options.followed, options.posts)
        bundle(build, many, options.followed + options.strangers, options.posts)
        source.parley("import", str(few))
        names = sorted({post["author"] for post in source.json("timeline", "--limit", "0")})
        if len(names) != options.followed:
            raise Failed(f"{len(names)} authors in the first bundle")
        for name in names:
            node.parley("follow", name, "--private")
        for number in range(OWN_POSTS):
            node.parley("post", f"own {number}")
        own = node.digest(node.author)
        followed = source.digest(*names)
        source.parley("import", str(many))
        print(f"# the source: {source.json('status')[0]['entries']} entries, "
              f"{folder_bytes(source)} bytes", flush=True)
        watch = Watch(node)
        node.parley("connect", source.address)
        # However many strangers there are, and long before all of them are here.
        wait_until("whom it follows", lambda: node.digest(*names) == followed,
                   seconds=FIRST_SECONDS)
        yield True, "whom it follows comes first"
        wait_until("the end of the flood", watch.is_quiet, seconds=options.seconds)
        status, files = node.json("status")[0], folder_bytes(node)
        print(f"# quota {options.quota}: files {files} ({files / options.quota:.3f}), at most "
              f"{watch.peak} ({watch.peak / options.quota:.3f}) in between; held "
              f"{status['held_bytes']}", flush=True)
        yield node.digest(*names) == followed, "whom it follows is whole"
        yield node.digest(node.author) == own, "its own posts are untouched"
        yield max(files, watch.peak) <= options.quota * TOLERANCE, \
            "the files are within 5 % of the quota, and were at every look"
        # A session that compares anew may be under way at any one moment.
        wait_until("a status that says so", lambda: node.json("status")[0]["state"] == "at_quota",
                   seconds=60)
        yield True, "the status says so"
        all_authors = options.followed + options.strangers
        yield options.followed < status["authors"] < all_authors, "some strangers are here, not all"
        source.stop()
        node.stop()
        node.start()
        yield node.digest(*names) == followed, "whole after a restart, too"
        yield node.parley("check", check=False).returncode == 0, "and sound"
    finally:
        for person in (source, node):
            person.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--strangers", type=int, default=1500)
    parser.add_argument("--followed", type=int, default=50)
    parser.add_argument("--posts", type=int, default=10)
    parser.add_argument("--quota", type=int, default=7000000)
    parser.add_argument("--seconds", type=int, default=500)
    options = parser.parse_args()
    os.environ.pop("PARLEY_HOME", None)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="parley-quota-") as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        number = 0
        try:
            for holds, what in flood(options.build.resolve(), pathlib.Path(name), options):
                number += 1
                failed += not holds
                print(f"{'ok' if holds else 'not ok'} {number} - {what}", flush=True)
        except Failed as failure:
            failed += 1
            number += 1
            print(f"not ok {number} - {failure}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
