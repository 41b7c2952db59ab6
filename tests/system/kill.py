#!/usr/bin/env python3
"""kill -9, again and again, over a small network in which two publishers post at full speed, start
of the nodes included: in the end everything converges and nothing acknowledged is missing.
Usage: kill.py BUILD_DIR [--rounds N] [--seed S]"""
import argparse
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
from people import Failed, Person, wait_until  # noqa: E402


class Publisher(threading.Thread):
    """Posts batches as fast as it can; a batch may fail at any line: acknowledged is what was
    answered with an address."""

    def __init__(self, person):
        super().__init__(daemon=True)
        self.person, self.acknowledged, self.number = person, [], 0
        self.stopping = False

    def run(self):
        while not self.stopping:
            texts = [f"{self.person.name} {self.number + n}" for n in range(40)]
            self.number += len(texts)
            lines = "".join('{"text":"%s"}\n' % text for text in texts).encode()
            try:
                done = self.person.parley("--json", "post", "--ndjson", text=lines, check=False)
            except subprocess.TimeoutExpired:
                continue
            # One answer a line, in order: what was answered is the beginning of what was sent.
            self.acknowledged += texts[: done.stdout.count(b"\n")]
            if done.returncode != 0:
                time.sleep(0.02)


def kill_rounds(cast, ports, rounds, chance):
    for number in range(rounds):
        victim = chance.randrange(len(cast))
        person = cast[victim]
        time.sleep(chance.uniform(0, 0.25))
        person.kill()
        if chance.random() < 0.3:  # killed again while it starts
            person.spawn(f"127.0.0.1:{ports[victim]}", peers=person.peers)
            time.sleep(chance.uniform(0, 0.03))
            person.kill()
        person.start(f"127.0.0.1:{ports[victim]}", peers=person.peers)
        if (number + 1) % 20 == 0:
            print(f"# {number + 1} rounds", flush=True)


def play(build, folder, rounds, seed):
    chance = random.Random(seed)
    relay = Person(build, folder, "relay", relay=True)
    writers = [Person(build, folder, f"writer-{n}") for n in "ab"]
    reader = Person(build, folder, "reader")
    cast = [relay, *writers, reader]
    relay.start()
    for person in [*writers, reader]:
        person.make()
        person.peers = [relay.address]
    relay.peers = []
    for writer in writers:
        reader.parley("follow", writer.author)
    for person in [*writers, reader]:
        person.start(peers=person.peers)
    ports = [person.address.rsplit(":", 1)[1] for person in cast]
    publishers = [Publisher(writer) for writer in writers]
    try:
        for publisher in publishers:
            publisher.start()
        kill_rounds(cast, ports, rounds, chance)
        for publisher in publishers:
            publisher.stopping = True
        for publisher in publishers:
            publisher.join(60)
        for writer, publisher in zip(writers, publishers):
            wait_until(f"the digests of {writer.name}", lambda w=writer:
                       w.digest(w.author) == relay.digest(w.author) == reader.digest(w.author))
            for person in (writer, reader):
                held = {p["text"] for p in person.json("timeline", "--author", writer.author,
                                                       "--limit", "0")}
                lost = [t for t in publisher.acknowledged if t not in held]
                if lost:
                    raise Failed(f"{person.name} lost {len(lost)} acknowledged posts: {lost[:3]}")
            print(f"# {writer.name}: {len(publisher.acknowledged)} acknowledged, none lost")
            if not publisher.acknowledged:
                raise Failed("nothing was acknowledged: the test tested nothing")
    finally:
        for person in cast:
            person.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.pop("PARLEY_HOME", None)
    words = f"{options.rounds} rounds of kill -9: converged, nothing acknowledged lost, no fork"
    with tempfile.TemporaryDirectory(prefix="parley-kill-",
                                     ignore_cleanup_errors=True) as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        try:
            play(options.build.resolve(), pathlib.Path(name), options.rounds, options.seed)
            print(f"ok 1 - {words}")
            status = 0
        except (Failed, subprocess.SubprocessError) as failure:
            print(f"not ok 1 - {words}\n# {str(failure)}")
            for log in sorted(pathlib.Path(name).glob("*.log")):
                for line in log.read_text(errors="replace").splitlines()[-10:]:
                    print(f"# {log.name}: {line}")
            status = 1
    print("1..1")
    return status


if __name__ == "__main__":
    sys.exit(main())
