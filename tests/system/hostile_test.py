"""A real node among peers that mean harm: they come through the handshake and flood, ask without
reading, lie, stay silent or send rubbish, and come back; beside them connections are opened and
dropped. Meanwhile its owner posts. The suite has a sample; the whole size is
  hostile_test.py PARLEYD PARLEY HOSTILE --peers 1000 --drops 10000 --posts 200 --cgroup
With --cgroup, as root, the kernel itself holds the node to the bound of its memory: buffers of
sockets and what it has of its files in memory count then, and it would be killed above."""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

from nodes import lines_of_posts, run, wait_until

# PARLEY_UNSENT_ALL_BYTES_MAX with the buffers around it, the tables of sessions, what LevelDB keeps.
MEMORY_BASE_MB = 128
# A message not read yet and the buffer it grew out of, a share of the windows, the rows of a peer.
MEMORY_PEER_KB = 256
POST_P99_MS = 200
BESIDE_TIMES = 3  # or that of a node beside it that nobody disturbs: the machine may be busy


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", type=int, default=100)
    parser.add_argument("--drops", type=int, default=500)
    parser.add_argument("--posts", type=int, default=60)
    parser.add_argument("--cgroup", action="store_true")
    return parser.parse_args(sys.argv[4:])


HOSTILE = os.path.abspath(sys.argv[3])
SIZE = options()
# AddressSanitizer keeps a shadow of the memory, and for a while what was freed.
SANITIZER_TIMES = 8 if "ASAN_OPTIONS" in os.environ else 1
BOUND_KB = (MEMORY_BASE_MB * 1024 + MEMORY_PEER_KB * SIZE.peers) * SANITIZER_TIMES


@contextlib.contextmanager
def held_to(process, bytes_most):
    """In a control group of the first or the second kind. Gives what it is to be asked at the end."""
    first = pathlib.Path("/sys/fs/cgroup/memory")
    group = (first if first.is_dir() else first.parent) / f"parley-{process.pid}"
    names = ("memory.limit_in_bytes", "memory.max_usage_in_bytes") if first.is_dir() else (
        "memory.max", "memory.peak")
    group.mkdir()
    try:
        (group / names[0]).write_text(str(bytes_most))
        (group / "cgroup.procs").write_text(str(process.pid))
        yield lambda: int((group / names[1]).read_text())
    finally:
        (group.parent / "cgroup.procs").write_text(str(process.pid))
        group.rmdir()


def field_kb(process, name):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise AssertionError(name)


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def post_ms(home, number):
    began = time.monotonic()
    home.parley("post", f"in the midst of it, {number}")
    return (time.monotonic() - began) * 1000


def p50(values):
    return sorted(values)[len(values) // 2]


def p99(values):
    return sorted(values)[max(0, -(-len(values) * 99 // 100) - 1)]


def beset(home, beside):
    """What a post took in ms, here and beside; descriptors at most; what the enemies say."""
    enemies = subprocess.Popen([HOSTILE, home.address, str(SIZE.peers), str(SIZE.drops)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        times, calm = [], []
        for part in range(2):
            for i in range(SIZE.posts // 2):
                times.append(post_ms(home, i))
                calm.append(post_ms(beside, i))
            if part == 0:
                line = enemies.stdout.readline()
                assert line == "ready\n", line + home.log()
        most = descriptors(home.process)
        figures = json.loads(enemies.communicate(timeout=60)[0])
    finally:
        enemies.kill()
    return times, calm, most, figures


def a_flood_takes_neither_memory_nor_descriptors_nor_the_owners_time(scratch):
    home, beside = scratch.home("a").init(), scratch.home("b").init().start()
    home.start("--connections", str(max(64, SIZE.peers * 3 // 2)))
    home.parley("post", "--ndjson", text=lines_of_posts(500))
    open_before, before_kb = descriptors(home.process), field_kb(home.process, "VmRSS")
    with contextlib.ExitStack() as held:
        used_most = held.enter_context(held_to(home.process, BOUND_KB * 1024)) if SIZE.cgroup else None
        times, calm, most, figures = beset(home, beside)
        in_group = f", {used_most() >> 20} MB in its group" if used_most else ""
    peak_kb = field_kb(home.process, "VmHWM") - before_kb
    print(f"# {figures}; beside p50 {p50(calm):.0f} p99 {p99(calm):.0f} ms, beset p50 {p50(times):.0f} "
          f"p99 {p99(times):.0f} ms; {peak_kb / 1024:.0f} MB more{in_group}, {most} descriptors",
          flush=True)
    assert figures["handshakes"] >= SIZE.peers
    assert peak_kb <= BOUND_KB, peak_kb
    wait_until(lambda: descriptors(home.process) <= open_before + 2,
               "no descriptor is left of a connection")
    assert p99(times) < max(POST_P99_MS, BESIDE_TIMES * p99(calm)), sorted(times)[-5:]
    assert home.json("status")[0]["entries"] == 500 + len(times)
    assert home.end() == 0


run(a_flood_takes_neither_memory_nor_descriptors_nor_the_owners_time)
