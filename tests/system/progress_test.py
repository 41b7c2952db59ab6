"""What takes longer than a second says how far it is: on a terminal, or with --progress, and to
nobody else. Usage: progress_test.py PARLEYD PARLEY FAULTY_DISK.so"""
import os
import pty
import subprocess
import sys
import threading
import time

from faults import HANG, FaultyDisk
from nodes import PARLEY, Skipped, lines_of_posts, run

LIBRARY = os.path.abspath(sys.argv[3])
SLOW_S = 2.5


def ask(disk, home, *words, stderr=subprocess.PIPE):
    """On a disk that takes its time: the process when it is done, and what it wrote to its pipe."""
    disk.fail(1, 1 << 30, HANG)
    threading.Timer(SLOW_S, disk.heal).start()
    started = time.monotonic()
    process = subprocess.Popen([PARLEY, "--home", home.path, *words], stdout=subprocess.PIPE,
                               stderr=stderr, text=True, env={**os.environ, **disk.environment})
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert time.monotonic() - started >= SLOW_S, "the disk was not slow"
    return errors


def on_terminal(disk, home, *words):
    try:
        reader, writer = pty.openpty()
    except OSError as error:  # a bare system without /dev/pts
        raise Skipped(error) from error
    try:
        ask(disk, home, *words, stderr=writer)
        os.close(writer)
        said = b""
        try:
            while chunk := os.read(reader, 4096):
                said += chunk
        except OSError:  # nobody writes there any more
            pass
        return said.decode()
    finally:
        os.close(reader)


def slow_home(scratch):
    home = scratch.home("a").init()
    home.parley("post", "--ndjson", text=lines_of_posts(20))
    return home, FaultyDisk(LIBRARY, home.path, os.path.join(scratch.folder, "faulty"))


def a_terminal_is_told(scratch):
    home, disk = slow_home(scratch)
    said = on_terminal(disk, home, "rebuild")
    assert "\rmaking the indexes anew: 1 s" in said and "anew: 2 s" in said, said
    assert said.endswith("\n"), said
    assert "opening the home: 1 s" in on_terminal(disk, home, "digest")
    disk.close()


def a_file_is_told_only_if_it_is_asked_for(scratch):
    home, disk = slow_home(scratch)
    assert ask(disk, home, "rebuild") == ""
    lines = ask(disk, home, "--progress", "rebuild").splitlines()
    assert lines[:2] == ["making the indexes anew: 1 s", "making the indexes anew: 2 s"], lines
    disk.close()


def what_is_quick_says_nothing(scratch):
    home = scratch.home("a").init()
    done = subprocess.run([PARLEY, "--home", home.path, "--progress", "digest"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done


run(a_terminal_is_told,
    a_file_is_told_only_if_it_is_asked_for,
    what_is_quick_says_nothing)
