"""parleyd under systemd's eyes: what it says to NOTIFY_SOCKET, when the watchdog's pings stop, and how
far its units are closed. Usage: service_test.py PARLEYD PARLEY FAULTY_DISK.so SYSTEM_UNIT USER_UNIT"""
import ctypes
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from faults import HANG, FaultyDisk
from nodes import PARLEYD, Skipped, run, wait_until

LIBRARY, UNIT, USER_UNIT = map(os.path.abspath, sys.argv[3:6])
WATCHDOG_MS = 600
EXPOSURE_MAX = 2.0


class Manager:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.said = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            words = self.socket.recv(4096).decode()
            self.said.append((time.monotonic(), words.split("\n")))

    def wait(self, word, since=0):
        def is_said():
            return any(word in words for _, words in self.said[since:])
        wait_until(is_said, f"{word} in {self.said[since:]}")

    def pings(self):
        return [at for at, words in self.said if words == ["WATCHDOG=1"]]


def start(scratch, home, manager, **environment):
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path, **environment}
    with open(home.errors, "a", encoding="utf-8") as errors:
        # The shell's number stays with what it executes, as with a unit's main process.
        home.process = subprocess.Popen(
            ["sh", "-c", 'test -z "$WATCHDOG_USEC" || export WATCHDOG_PID=${WATCHDOG_PID:-$$}; exec "$@"',
             "sh", PARLEYD, "--home", home.path, "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    assert home.process.stdout.readline().startswith("ready "), home.log()
    return home


def ready_reload_and_stop_are_told(scratch):
    manager = Manager(scratch.folder)
    home = start(scratch, scratch.home("a").init(), manager)
    manager.wait("READY=1")
    assert manager.said[0][1] == ["READY=1", f"STATUS=Serves {home.path}"], manager.said
    for text, status in (("log = info\n", "configuration read again"), ("what\n", "old one stays")):
        before = len(manager.said)
        (home.path / "parleyd.conf").write_text(text)
        home.process.send_signal(signal.SIGHUP)
        manager.wait("READY=1", before)
        first, second = (words for _, words in manager.said[before:])
        assert first[0] == "RELOADING=1" and re.fullmatch(r"MONOTONIC_USEC=\d+", first[1]), first
        assert second[0] == "READY=1" and status in second[1], second
    before = len(manager.said)
    assert home.end() == 0
    manager.wait("STOPPING=1", before)
    assert manager.pings() == [], "no watchdog was asked for"


def pings_come_in_time(scratch):
    manager = Manager(scratch.folder)
    home = start(scratch, scratch.home("a").init(), manager, WATCHDOG_USEC=str(WATCHDOG_MS * 1000))
    wait_until(lambda: len(manager.pings()) >= 6, "pings of a node that rests")
    for i in range(5):
        home.parley("post", f"word {i}")
    gaps = [b - a for a, b in zip(manager.pings(), manager.pings()[1:])]
    assert sorted(gaps)[len(gaps) // 2] < WATCHDOG_MS / 1000 / 2, gaps
    assert home.end() == 0
    count = len(manager.pings())
    time.sleep(WATCHDOG_MS / 1000)
    assert len(manager.pings()) == count


def another_process_is_watched(scratch):
    manager = Manager(scratch.folder)
    home = start(scratch, scratch.home("a").init(), manager, WATCHDOG_USEC="90000",
                 WATCHDOG_PID="1")
    manager.wait("READY=1")
    time.sleep(0.4)
    assert manager.pings() == []
    assert home.end() == 0


def a_disk_that_hangs_gets_no_ping(scratch):
    manager = Manager(scratch.folder)
    home = scratch.home("a").init()
    disk = FaultyDisk(LIBRARY, home.path, os.path.join(scratch.folder, "faulty"))
    start(scratch, home, manager, WATCHDOG_USEC=str(WATCHDOG_MS * 1000), **disk.environment)
    wait_until(lambda: manager.pings(), "pings while all is well")
    disk.fail(1, 1 << 30, HANG)
    post = subprocess.Popen([os.path.abspath(sys.argv[2]), "--home", home.path, "post", "a word"],
                            stdout=subprocess.DEVNULL)
    wait_until(lambda: "is the disk alive?" in home.log(), "the words about it")
    count = len(manager.pings())
    time.sleep(3 * WATCHDOG_MS / 1000)
    assert len(manager.pings()) == count, "a ping for a store that hangs"
    assert home.json("peers") == [], "the loop itself answers"
    disk.heal()
    assert post.wait(timeout=30) == 0
    wait_until(lambda: len(manager.pings()) > count, "pings again")
    assert home.end() == 0
    disk.close()


def the_unit_is_closed_as_far_as_it_can_be(scratch):
    if shutil.which("systemd-analyze") is None:
        print("# no systemd-analyze here: the unit's exposure was not asked for")
        return
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
                          capture_output=True, text=True, timeout=60)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout[-500:] + done.stderr
    assert float(found.group(1)) <= EXPOSURE_MAX, found.group(0)


# --- the addresses that a unit lets a node open sockets of ---------------------------------------------

SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # AUDIT_ARCH_..., __NR_socket
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # of the filter's machine, linux/bpf_common.h
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | 97  # SECCOMP_RET_ALLOW, _ERRNO with EAFNOSUPPORT, as systemd has it


def families_of(unit):
    with open(unit, encoding="utf-8") as file:
        words = re.search(r"^RestrictAddressFamilies=(.*)$", file.read(), re.MULTILINE).group(1).split()
    return [getattr(socket, word) for word in words]


def restrict(families):
    """For the process that is to be: no socket of another family."""
    calls = [(LOAD, 0, 0, 0), (EQUAL, SOCKET_CALLS[os.uname().machine][1], 0, len(families) + 2), (LOAD, 16, 0, 0)]
    calls += [(EQUAL, family, len(families) - i, 0) for i, family in enumerate(families)]
    calls += [(RETURN, REFUSE, 0, 0), (RETURN, ALLOW, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", op, yes, no, k) for op, k, yes, no in calls))
    libc = ctypes.CDLL(None, use_errno=True)

    def enter():
        program = struct.pack("HxxxxxxP", len(calls), ctypes.addressof(code))
        if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS, _SECCOMP
            raise OSError(ctypes.get_errno(), "no filter of system calls")
    return enter


def nets_of(home):
    return [place.partition("@")[2].rpartition(":")[0] for place in home.json("status")[0]["places"]]


def under_a_unit_a_node_knows_the_networks_that_it_is_in(scratch):
    if os.uname().machine not in SOCKET_CALLS:
        raise Skipped("the number of a system call is not known for this machine")
    home = scratch.home("a").init()
    home.start("--lan", "no", listen="0.0.0.0:0")
    nets = nets_of(home)
    assert home.end() == 0
    for unit in (UNIT, USER_UNIT):
        with open(home.errors, "a", encoding="utf-8") as errors:
            home.process = subprocess.Popen(
                [PARLEYD, "--home", home.path, "--lan", "no", "--listen", "0.0.0.0:0"], text=True,
                stdout=subprocess.PIPE, stderr=errors, preexec_fn=restrict(families_of(unit)))
        assert home.process.stdout.readline().startswith("ready "), home.log()
        assert nets_of(home) == nets, (unit, nets_of(home), nets)
        assert home.end() == 0


run(under_a_unit_a_node_knows_the_networks_that_it_is_in,
    ready_reload_and_stop_are_told,
    pings_come_in_time,
    another_process_is_watched,
    a_disk_that_hangs_gets_no_ping,
    the_unit_is_closed_as_far_as_it_can_be)
