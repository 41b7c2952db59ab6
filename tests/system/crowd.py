#!/usr/bin/env python3
"""Thousands of authors through writer, relay and reader: equal digests at all three, and what it
took. Usage: crowd.py BUILD_DIR [--authors N] [--posts N_EACH]"""
import argparse
import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
from people import Failed, Person, wait_until  # noqa: E402


class Local(http.client.HTTPConnection):
    """The node's API over its socket, one connection for many requests."""

    def __init__(self, home):
        super().__init__("parley")
        self.path = str(home / "api.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def post(self, path, body):
        self.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise Failed(f"{path}: {answer.status}: {said.decode(errors='replace')}")


def authors_held(person):
    return sorted({post["author"] for post in person.json("timeline", "--limit", "0")})


def batches(names, size=50):
    return [names[n:n + size] for n in range(0, len(names), size)]


def travel(build, folder, bundle, authors_count, posts_count):
    writer, relay, reader = (Person(build, folder, name, relay=name == "relay")
                             for name in ("writer", "relay", "reader"))
    try:
        for person in (writer, reader):
            person.make()
        relay.start()
        writer.start(peers=[relay.address])
        began = time.monotonic()
        wait_until("the link", lambda: len(writer.json("peers")) == 1)
        writer.parley("import", str(bundle))
        print(f"# imported: {time.monotonic() - began:.1f} s", flush=True)
        total = authors_count * posts_count
        whole = lambda person: wait_until(
            person.name, lambda: person.json("status")[0]["entries"] >= total, seconds=300)
        whole(relay)
        print(f"# whole at the relay: {time.monotonic() - began:.1f} s", flush=True)
        names = authors_held(relay)  # a relay shows everybody
        if len(names) != authors_count:
            raise Failed(f"{len(names)} authors at the relay")
        reader.start()
        api = Local(reader.home)
        for name in names:
            api.post("/v1/follows", {"author": name, "private": True})
        print(f"# followed: {time.monotonic() - began:.1f} s", flush=True)
        reader.parley("connect", relay.address)
        whole(reader)
        print(f"# whole at the reader: {time.monotonic() - began:.1f} s", flush=True)
        return {p.name: [p.digest(*some) for some in batches(names)]
                for p in (writer, relay, reader)}
    finally:
        for person in (writer, relay, reader):
            person.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--authors", type=int, default=4000)
    parser.add_argument("--posts", type=int, default=25)
    options = parser.parse_args()
    os.environ.pop("PARLEY_HOME", None)
    build = options.build.resolve()
    print("1..1")
    with tempfile.TemporaryDirectory(prefix="parley-crowd-") as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        bundle = pathlib.Path(name) / "crowd.parley"
        with open(bundle, "wb") as out:
            subprocess.run([str(build / "tools" / "bench" / "make_bundle"), str(options.authors),
                            str(options.posts)], stdout=out, check=True)
        try:
            digests = travel(build, pathlib.Path(name), bundle, options.authors, options.posts)
            holds = len({str(d) for d in digests.values()}) == 1
            print(f"{'ok' if holds else 'not ok'} 1 - {options.authors} authors, "
                  f"{options.authors * options.posts} posts: equal digests")
        except Failed as failure:
            holds = False
            print(f"not ok 1 - {failure}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
