#!/usr/bin/env python3
"""What a node at rest costs: one that follows many authors and has a few peers which hold them all.
Bytes sent to and received from each peer and processor time over a while, and whether a post still
arrives. Usage: idle.py BUILD_DIR [--authors N] [--peers N] [--seconds N]"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
sys.path.insert(0, str(ROOT / "tests" / "system"))
from crowd import Local, authors_held  # noqa: E402
from people import Failed, Person, wait_until  # noqa: E402

SENT_BYTES_MAX = 100  # per second and peer
TICKS_MAX = 5         # of 10 ms: below what a minute of nothing shows


def ticks(person):
    """Processor time of the node's process: user and system, in clock ticks."""
    fields = pathlib.Path(f"/proc/{person.node.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def links(person):
    return {peer["node_key"]: (peer["sent_bytes"], peer["received_bytes"])
            for peer in person.json("peers")}


def entries(person):
    return person.json("status")[0]["entries"]


def build_up(build, folder, bundle, authors_count, peers_count):
    people = [Person(build, folder, f"peer{n}", relay=True) for n in range(peers_count)]
    reader = Person(build, folder, "reader")
    reader.make()
    for person in people:
        person.start()
        person.parley("import", str(bundle))
    names = authors_held(people[0])
    if len(names) != authors_count:
        raise Failed(f"{len(names)} authors at the first peer")
    reader.start()
    api = Local(reader.home)
    for name in names:
        api.post("/v1/follows", {"author": name, "private": True})
    for person in people:
        reader.parley("connect", person.address)
    return reader, people


def measure(reader, peers_count, seconds):
    wait_until("the links", lambda: len(links(reader)) == peers_count)
    before, used, began = links(reader), ticks(reader), time.monotonic()
    time.sleep(seconds)
    after, spent, passed = links(reader), ticks(reader) - used, time.monotonic() - began
    rates = [((after[key][0] - before[key][0]) / passed, (after[key][1] - before[key][1]) / passed)
             for key in before if key in after]
    for sent, received in rates:
        print(f"# {sent:.1f} bytes/s to a peer, {received:.1f} from it", flush=True)
    print(f"# {spent} clock ticks in {passed:.0f} s", flush=True)
    return rates, spent


def run(build, folder, options):
    bundle = folder / "crowd.parley"
    with open(bundle, "wb") as out:
        subprocess.run([str(build / "tools" / "bench" / "make_bundle"), str(options.authors), "1"],
                       stdout=out, check=True)
    people = []
    try:
        reader, peers = build_up(build, folder, bundle, options.authors, options.peers)
        people = [reader, *peers]
        wait_until("all posts", lambda: entries(reader) >= options.authors, seconds=300)
        time.sleep(options.settle)
        rates, spent = measure(reader, options.peers, options.seconds)
        posted = entries(peers[-1])
        reader.parley("post", "still awake")
        wait_until("a post after the rest", lambda: entries(peers[-1]) > posted)
        return [(f"{options.peers} links stay", len(rates) == options.peers),
                (f"below {SENT_BYTES_MAX} bytes/s a peer, either way",
                 all(max(rate) < SENT_BYTES_MAX for rate in rates)),
                (f"at most {TICKS_MAX} clock ticks", spent <= TICKS_MAX)]
    finally:
        for person in people:
            person.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--authors", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--settle", type=int, default=180,
                        help="seconds before: each peer's second look after a newcomer's first")
    options = parser.parse_args()
    os.environ.pop("PARLEY_HOME", None)
    with tempfile.TemporaryDirectory(prefix="parley-idle-") as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        try:
            results = run(options.build.resolve(), pathlib.Path(name), options)
        except Failed as failure:
            results = [(str(failure), False)]
    print(f"1..{len(results)}")
    for number, (words, holds) in enumerate(results, 1):
        print(f"{'ok' if holds else 'not ok'} {number} - {words}")
    return 0 if all(holds for _, holds in results) else 1


if __name__ == "__main__":
    sys.exit(main())
