"""A publish session on a disk that fails: at its every n-th write, sync, rename and creation, with
EIO, with ENOSPC, and with the process killed at it; and on a disk that fills at many levels. Nothing
acknowledged is lost, every database opens again, and publishing goes on within 10 s of the end of
the fault. Usage: disk_faults_test.py PARLEYD PARLEY LIBRARY [--every N] [--levels N]"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

import nodes
from faults import EIO, ENOSPC, KILL, FaultyDisk
from nodes import lines_of_posts, wait_until

AGAIN_S = 10


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("parleyd")
    parser.add_argument("parley")
    parser.add_argument("library")
    parser.add_argument("--every", type=int, default=9, help="takes each N-th call; 1: all")
    parser.add_argument("--levels", type=int, default=8, help="how many fill levels")
    return parser.parse_args()


OPTIONS = options()
SPACE = 12_000_000  # what a session needs at its fullest, log and tables of the engine included


class Session:
    """A home that was used once, copied for each trial with a lease of its own."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.original = scratch.home("original").init()
        self.original.parley("post", "--ndjson", text=lines_of_posts(20))
        self.lease = os.path.join(scratch.folder, "state")
        self.number = 0
        self.slowest_s = 0.0

    def begin(self):
        """The same home at the same moment: what lies outside of it goes back, too."""
        self.number += 1
        folder = os.path.join(self.scratch.folder, f"trial-{self.number}")
        home = self.scratch.home(f"trial-{self.number}/home")
        os.mkdir(folder)
        shutil.copytree(self.original.path, home.path,
                        ignore=shutil.ignore_patterns("api.sock", "lock"))
        shutil.copytree(self.lease, os.path.join(folder, "state"))
        home.errors = nodes.pathlib.Path(folder) / "log"
        disk = FaultyDisk(OPTIONS.library, home.path, os.path.join(folder, "disk"))
        return home, disk, {**os.environ, "XDG_STATE_HOME": os.path.join(folder, "state")}

    def end(self, home, disk):
        disk.close()
        shutil.rmtree(home.path.parent)


def spawn(home, environment):
    """The node, or None when it ended by itself."""
    with open(home.errors, "a", encoding="utf-8") as errors:
        home.process = subprocess.Popen(
            [nodes.PARLEYD, "--home", home.path, "--listen", "127.0.0.1:0"], text=True,
            stdout=subprocess.PIPE, stderr=errors, env=environment)
    if home.process.stdout.readline().startswith("ready "):
        return True
    forget(home)
    return False


def forget(home):
    home.process.kill()
    home.process.wait()
    home.process.stdout.close()
    home.process = None


def publish(home, environment, text):
    done = subprocess.run([nodes.PARLEY, "--home", home.path, "post", "--ndjson"], input=text,
                          text=True, capture_output=True, timeout=60, env=environment)
    return [line for line in done.stdout.splitlines() if line.startswith("post1")]


def session(home, environment):
    """Posts in three rounds, with the node and without: addresses that were acknowledged."""
    plain = {name: value for name, value in environment.items() if name != "LD_PRELOAD"}
    acknowledged = []
    if spawn(home, environment):
        acknowledged += publish(home, plain, lines_of_posts(40, 100))
        acknowledged += publish(home, plain, lines_of_posts(10, 200))
    if home.process is not None:
        home.process.terminate()
        try:
            home.process.wait(10)
            home.process.stdout.close()
            home.process = None
        except subprocess.TimeoutExpired:
            forget(home)
    acknowledged += publish(home, environment, lines_of_posts(5, 300))
    return acknowledged


def expect_all(home, environment, acknowledged, what):
    done = subprocess.run([nodes.PARLEY, "--home", home.path, "--json", "timeline", "--limit", "0"],
                          text=True, capture_output=True, timeout=60, env=environment)
    assert done.returncode == 0, f"{what}: the home does not open: {done.stderr}"
    posts = [json.loads(line) for line in done.stdout.splitlines()]
    held = {post["post"] for post in posts}
    lost = [post for post in acknowledged if post not in held]
    assert not lost, f"{what}: {len(lost)} of {len(acknowledged)} acknowledged are lost"
    assert len(posts) >= 20, f"{what}: {len(posts)} of 20 earlier posts are left"
    done = subprocess.run([nodes.PARLEY, "--home", home.path, "check"], text=True,
                          capture_output=True, timeout=60, env=environment)
    assert done.returncode == 0, f"{what}: {done.stdout}{done.stderr}"


def calls_of_a_session(whole):
    home, disk, environment = whole.begin()
    acknowledged = session(home, {**environment, **disk.environment})
    calls = disk.calls
    assert len(acknowledged) == 55, len(acknowledged)
    expect_all(home, environment, acknowledged, "undisturbed")
    whole.end(home, disk)
    return calls


def what_is_acknowledged_was_synced(scratch):
    whole = Session(scratch)
    home, disk, environment = whole.begin()
    assert spawn(home, {**environment, **disk.environment})
    for number in range(10):
        before = disk.syncs
        assert publish(home, environment, lines_of_posts(1, number))
        assert disk.syncs > before, f"post {number} was acknowledged before any sync"
    home.end()
    whole.end(home, disk)


def every_call_fails_once(scratch):
    whole = Session(scratch)
    calls = calls_of_a_session(whole)
    kinds, trials = {EIO: "EIO", ENOSPC: "ENOSPC", KILL: "kill"}, 0
    for number in range(1, calls + 1):
        if (number - 1) % OPTIONS.every != 0:
            continue
        what = (EIO, ENOSPC, KILL)[(number // OPTIONS.every) % 3]
        for kind in ((EIO, ENOSPC, KILL) if OPTIONS.every == 1 else (what,)):
            home, disk, environment = whole.begin()
            disk.fail(number, 1 if kind == KILL else 3, kind)
            acknowledged = session(home, {**environment, **disk.environment})
            disk.heal()
            expect_all(home, environment, acknowledged, f"{kinds[kind]} at call {number}")
            assert publish(home, environment, lines_of_posts(1, 400)), f"call {number}: no post"
            whole.end(home, disk)
            trials += 1
    print(f"# {calls} calls a session, {trials} faults")


def publish_again(home, environment):
    """Seconds until a node that runs on takes a post again."""
    start = time.monotonic()
    wait_until(lambda: publish(home, environment, lines_of_posts(1, 500)), "publishing again", 20)
    return time.monotonic() - start


def a_disk_fills_and_empties(scratch):
    whole = Session(scratch)
    slowest, refused, closed, read_only = 0.0, 0, 0, 0
    text = "".join(json.dumps({"text": "x" * 20000 + str(i)}) + "\n" for i in range(400))
    for level in range(OPTIONS.levels):
        home, disk, environment = whole.begin()
        disk.leave(level * SPACE // OPTIONS.levels)
        what = f"full at level {level}"
        if spawn(home, {**environment, **disk.environment}):
            acknowledged = publish(home, environment, text)
            if len(acknowledged) < 400:
                refused += 1
                said = home.json("status")[0]
                # Or a file of the engine's went, and there was room again.
                assert said["writable"] or said["state"] == "disk_full", (what, said)
                read_only += not said["writable"]
            disk.heal()
            took = publish_again(home, environment)
            assert took < AGAIN_S, f"{what}: {took:.1f} s"
            slowest = max(slowest, took)
            home.end()
        else:  # not even the opening fits: said, and nothing is lost
            acknowledged = []
            closed += 1
            said = home.log()
            assert "disk is full" in said or "No space" in said, (what, said)
            disk.heal()
        expect_all(home, environment, acknowledged, what)
        assert publish(home, environment, lines_of_posts(1, 600)), what
        whole.end(home, disk)
    assert OPTIONS.levels < 4 or read_only > 0, "it was never read-only"
    print(f"# {OPTIONS.levels} levels: {closed} before the start, {refused} while publishing "
          f"({read_only} still read-only when asked), again after {slowest:.1f} s at most")


nodes.run(what_is_acknowledged_was_synced, every_call_fails_once, a_disk_fills_and_empties)
