"""A copied home never forks: a copy, a backup put back, another machine get a log of their own.
Usage: copy_test.py PARLEYD PARLEY [--rounds N]"""
import argparse
import os
import random
import shutil
import signal

from nodes import run, wait_until


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("parleyd")
    parser.add_argument("parley")
    parser.add_argument("--rounds", type=int, default=12, help="old copies started beside it")
    return parser.parse_args()


OPTIONS = options()


def copy(scratch, home, name):
    other = scratch.home(name)
    shutil.copytree(home.path, other.path, ignore=shutil.ignore_patterns("api.sock"))
    return other


def log_of(home):
    return home.json("id")[0]["log"]


def texts(home):
    return sorted(post["text"] for post in home.json("timeline", "--limit", "0"))


def the_same_home_keeps_its_log(scratch):
    home = scratch.home("a").init()
    log = log_of(home)
    home.parley("post", "offline")
    home.start().parley("post", "live")
    home.end(signal.SIGKILL)
    home.start().parley("post", "after a crash")
    assert home.end() == 0
    assert log_of(home) == log
    assert home.log() == ""


def a_copy_goes_on_in_a_log_of_its_own(scratch):
    home = scratch.home("a").init()
    home.parley("post", "before")
    other = copy(scratch, home, "b")
    home.parley("post", "here")
    assert "copy" in other.start().log()
    other.parley("post", "there")
    assert other.author == home.author and log_of(other) != log_of(home)
    assert texts(other) == ["before", "there"] and texts(home) == ["before", "here"]
    assert other.end() == 0
    log = log_of(other)
    other.start().parley("post", "and on")
    assert log_of(other) == log


def both_logs_meet_again(scratch):
    home = scratch.home("a").init()
    home.parley("post", "before")
    other = copy(scratch, home, "b")
    home.start()
    home.parley("post", "here")
    other.start()
    other.parley("post", "there")
    reader = scratch.home("r").init().start(peers=[home.address])
    reader.parley("follow", home.author)
    wait_until(lambda: {"before", "here"} <= set(texts(reader)), "one of them")
    home.end()
    reader.parley("connect", other.address)
    wait_until(lambda: {"before", "here", "there"} <= set(texts(reader)), "all three")


def a_copy_of_a_running_home_is_noticed(scratch):
    home = scratch.home("a").init().start()
    home.parley("post", "before")
    other = copy(scratch, home, "b")
    other.parley("post", "there")
    assert log_of(other) != log_of(home)
    late = copy(scratch, home, "c")
    home.parley("post", "here")
    assert home.end() == 0
    late.parley("post", "late")
    assert len({log_of(each) for each in (home, other, late)}) == 3


def a_backup_put_back_is_noticed(scratch):
    home = scratch.home("a").init()
    home.parley("post", "one")
    log = log_of(home)
    backup = copy(scratch, home, "backup")
    home.parley("post", "lost with the disk")
    shutil.rmtree(home.path)
    shutil.copytree(backup.path, home.path)
    home.parley("post", "two")
    assert log_of(home) != log and texts(home) == ["one", "two"]


def another_machine_is_noticed(scratch):
    home = scratch.home("a").init()
    log = log_of(home)
    os.environ["XDG_STATE_HOME"] = os.path.join(scratch.folder, "of another machine")
    assert log_of(home) != log


def without_the_root_it_is_read_only(scratch):
    home = scratch.home("a").init()
    home.parley("post", "before")
    other = copy(scratch, home, "b")
    os.unlink(other.path / "root.key")
    home.parley("post", "here")
    other.start()
    assert "root.key" in other.log()
    other.parley("post", "there", status=1)
    assert texts(other) == ["before"]
    assert other.end() == 0


def moved_on_purpose_it_is_the_same_device(scratch):
    home = scratch.home("a").init()
    home.parley("post", "there")
    log = log_of(home)
    moved = copy(scratch, home, "b")
    shutil.rmtree(home.path)
    os.environ["XDG_STATE_HOME"] = os.path.join(scratch.folder, "of another machine")
    moved.start("--same-device")
    moved.parley("post", "here")
    assert log_of(moved) == log and moved.log().count("\n") == 1 and "same device" in moved.log()
    assert moved.end() == 0
    moved.start()
    moved.parley("post", "and on")
    assert log_of(moved) == log and moved.log().count("\n") == 1
    assert moved.end() == 0
    again = copy(scratch, moved, "c")
    os.environ["XDG_STATE_HOME"] = os.path.join(scratch.folder, "of a third machine")
    assert again.json("id", "--same-device")[0]["log"] == log
    assert log_of(again) == log


def same_device_said_of_two_is_noticed(scratch):
    """The owner's word was wrong, and both have posted: each goes on in a log of its own, and what
    they say from then on is read everywhere."""
    home = scratch.home("a").init()
    relay = scratch.home("relay").start("--relay")
    home.parley("post", "before")
    log = log_of(home)
    other = copy(scratch, home, "b")
    home.parley("post", "here")
    with Elsewhere(os.path.join(scratch.folder, "machine")):
        other.start("--same-device")
        other.parley("post", "there")
    home.start(peers=[relay.address])
    wait_until(lambda: relay.json("status")[0]["entries"] == 2, "the relay has one branch")
    other.parley("connect", relay.address)
    wait_until(lambda: log != log_of(home) != log_of(other) != log, "both have another log")
    assert "signed elsewhere" in home.log() and "signed elsewhere" in other.log()
    home.parley("post", "here again")
    other.parley("post", "there again")
    reader = scratch.home("r").init().start(peers=[relay.address])
    reader.parley("follow", home.author)
    for each in (home, other, reader):
        wait_until(lambda: texts(each) == ["before", "here again", "there again"],
                   f"all that is good: {texts(each)}")
    # The owner settles the fork: what stands below it stays, and the log has an end.
    forked = next(row for row in home.json("device", "list") if row["state"] == "forked")
    home.parley("device", "revoke", forked["device"])
    wait_until(lambda: all(row["state"] != "forked" for row in other.json("device", "list")),
               "settled on the other, too")


def old_backup_without_a_lease_is_noticed(scratch):
    """A whole machine put back, its state folder, too: what peers have tells it."""
    home = scratch.home("a").init()
    relay = scratch.home("relay").start("--relay")
    state = os.environ["XDG_STATE_HOME"]
    home.parley("post", "one")
    log = log_of(home)
    backup = copy(scratch, home, "backup")
    shutil.copytree(state, state + "-then")
    home.start(peers=[relay.address])
    home.parley("post", "two")
    wait_until(lambda: relay.json("status")[0]["entries"] == 2, "the relay has both")
    assert home.end() == 0
    shutil.rmtree(home.path)
    shutil.rmtree(state)
    shutil.copytree(backup.path, home.path)
    shutil.copytree(state + "-then", state)
    home.start(peers=[relay.address])
    wait_until(lambda: log_of(home) != log, "another log")
    home.parley("post", "three")
    wait_until(lambda: texts(home) == ["one", "three", "two"], "all of it, and no fork")
    assert home.log().count("signed elsewhere") == 1


def a_state_folder_that_cannot_be_written_is_no_hindrance(scratch):
    os.environ["XDG_STATE_HOME"] = "/proc/nowhere"
    home = scratch.home("a").init()
    log = log_of(home)
    for number in range(3):
        home.parley("post", str(number))
    assert log_of(home) == log


class Elsewhere:
    """The state folder of another machine, for a while."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.before = os.environ["XDG_STATE_HOME"]
        os.environ["XDG_STATE_HOME"] = self.folder

    def __exit__(self, *_):
        os.environ["XDG_STATE_HOME"] = self.before


def old_copies_beside_it_fork_nothing(scratch):
    """A home that posts on, with and without a node, is copied and closed in every way; old copies
    start beside it, on this machine and on others, and post, too. Nobody ever sees two entries of
    one log and one number."""
    chance = random.Random(3)
    home = scratch.home("a").init()
    relay = scratch.home("relay").start("--relay")
    log = log_of(home)
    copies, seen, elsewhere = [copy(scratch, home, "kept")], {}, 0
    for number in range(OPTIONS.rounds):
        home.parley("post", f"here {number}")  # so every copy is an old one
        other = copy(scratch, chance.choice(copies), f"started-{number}")
        is_elsewhere = chance.random() < 0.4
        with Elsewhere(os.path.join(scratch.folder, f"machine-{number}") if is_elsewhere
                       else os.environ["XDG_STATE_HOME"]):
            other.parley("post", f"there {number}")
            posts = other.json("timeline", "--limit", "0")
            elsewhere += is_elsewhere
        assert log_of(other) != log, f"round {number}: the copy goes on in the log"
        for post in posts + home.json("timeline", "--limit", "0"):
            place = (post["log"], post["seq"])
            assert seen.setdefault(place, post["id"]) == post["id"], f"round {number}: a fork"
        shutil.rmtree(other.path)
        if chance.random() < 0.3:
            home.start(peers=[relay.address])
            home.parley("post", f"live {number}")
            copies.append(copy(scratch, home, f"kept-live-{number}"))
            home.end(chance.choice([signal.SIGTERM, signal.SIGKILL]))
        elif chance.random() < 0.5:
            copies.append(copy(scratch, home, f"kept-{number}"))
    assert log_of(home) == log, "the home itself was taken for a copy"
    print(f"# {OPTIONS.rounds} old copies, {elsewhere} of them on another machine: no fork")


run(the_same_home_keeps_its_log,
    a_copy_goes_on_in_a_log_of_its_own,
    both_logs_meet_again,
    a_copy_of_a_running_home_is_noticed,
    a_backup_put_back_is_noticed,
    another_machine_is_noticed,
    without_the_root_it_is_read_only,
    moved_on_purpose_it_is_the_same_device,
    same_device_said_of_two_is_noticed,
    old_backup_without_a_lease_is_noticed,
    a_state_folder_that_cannot_be_written_is_no_hindrance,
    old_copies_beside_it_fork_nothing)
