"""No post is acknowledged before it is on the disk: the node's own system calls say so. Needs
strace; without it, or where it may not trace, there is nothing to see here."""
import json
import os
import re
import shutil
import subprocess

from nodes import run

POSTS = 12
LINE = re.compile(r"^(\d+) +(.*)$")
# What began and was interrupted by a call of another thread ends in a line of its own.
UNFINISHED = re.compile(r"^(\w+)\((.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
DATABASE = re.compile(r"^\d+<[^>]*/db/\d+\.log>")


def may_trace():
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True,
                          timeout=20).returncode == 0


def calls(path):
    """(name, arguments and result, line it began on, line it ended on), in the order of the ends."""
    open_calls = {}
    for at, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        thread, said = LINE.match(line).groups()
        found = UNFINISHED.match(said)
        if found:
            open_calls[thread] = (*found.groups(), at)
            continue
        found = RESUMED.match(said)
        if found:
            name, words, began = open_calls.pop(thread)
            assert name == found[1], line
            yield name, words + found[2], began, at
        elif "(" in said:
            name, words = said.split("(", 1)
            yield name, words, at, at


def what_is_acknowledged_was_synced(scratch):
    home = scratch.home("traced").init()
    if "ASAN_OPTIONS" in os.environ:
        os.environ["ASAN_OPTIONS"] += ":detect_leaks=0"  # which nobody may trace
    trace = home.path.with_name("trace")
    home.start(within=["strace", "-D", "-f", "-y", "-s", "64", "-o", str(trace),
                       "-e", "trace=write,writev,pwrite64,sendto,sendmsg,fdatasync,fsync,read,"
                       "recvfrom,recvmsg"])
    for n in range(POSTS):
        home.parley("post", f"post {n}")
    home.parley("post", "--ndjson",
                text="".join(json.dumps({"text": f"many {n}"}) + "\n" for n in range(POSTS)))
    assert home.end() == 0
    asked = written = synced = None
    acknowledged = 0
    for name, words, began, ended in calls(trace):
        if name in ("read", "recvfrom", "recvmsg") and '"POST /v1/posts' in words:
            asked, written, synced = ended, None, None
        elif name in ("write", "writev", "pwrite64") and DATABASE.match(words):
            if asked is not None and began > asked:
                written = ended
        elif name in ("fdatasync", "fsync") and DATABASE.match(words):
            assert words.endswith("= 0"), words
            if written is not None and began > written:
                synced = ended
        elif '"HTTP/1.1 20' in words and asked is not None and name in ("write", "sendto", "sendmsg"):
            assert synced is not None and synced < began, f"line {began}: acknowledged before a sync"
            asked = None
            acknowledged += 1
    assert acknowledged >= POSTS + 1, acknowledged
    print(f"# {acknowledged} acknowledgements, each behind a sync of what was written for it")


if may_trace():
    run(what_is_acknowledged_was_synced)
else:
    print("1..0 # SKIP strace may not trace here")
