"""A copied home never forks: a copy, a backup put back, another machine get a log of their own."""
import os
import shutil
import signal

from nodes import run, wait_until


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


def a_state_folder_that_cannot_be_written_is_no_hindrance(scratch):
    os.environ["XDG_STATE_HOME"] = "/proc/nowhere"
    home = scratch.home("a").init()
    log = log_of(home)
    for number in range(3):
        home.parley("post", str(number))
    assert log_of(home) == log


run(the_same_home_keeps_its_log,
    a_copy_goes_on_in_a_log_of_its_own,
    both_logs_meet_again,
    a_copy_of_a_running_home_is_noticed,
    a_backup_put_back_is_noticed,
    another_machine_is_noticed,
    without_the_root_it_is_read_only,
    a_state_folder_that_cannot_be_written_is_no_hindrance)
