"""What the walk shares: one command a row, and the book of which command gave which status."""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

import nodes
from nodes import PARLEY, PARLEYD

SOURCE = pathlib.Path(__file__).resolve().parents[3]
FAILED = []
SEEN = set()  # (command, status)
COUNT = 0


def check(what, holds, detail=""):
    global COUNT
    COUNT += 1
    if not holds:
        FAILED.append(what)
    print(f"{'ok' if holds else 'not ok'} {COUNT} - {what}" + ("" if holds else f": {detail}"))
    sys.stdout.flush()


def command_of(arguments):
    """The first word that is no common option."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def parley(*arguments, home=None, stdin=b"", cwd=None, env=None, stdout=subprocess.PIPE):
    command = [PARLEY] + (["--home", str(home)] if home else []) + list(arguments)
    full = dict(os.environ, **(env or {}))
    if not env or "PARLEY_HOME" not in env:
        full.pop("PARLEY_HOME", None)
    done = subprocess.run(command, input=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=120,
                          cwd=cwd, env=full)
    SEEN.add((command_of(arguments), done.returncode))
    return done


def is_one_line(errors, program="parley"):
    return errors.startswith(program + ": ") and errors.count("\n") == 1 and errors.endswith("\n")


def row(what, want, *arguments, out=None, error=None, **more):
    """One command, its exit status, and what its output and its error must match; answers the
    output. An error is one line."""
    done = parley(*arguments, **more)
    text = (done.stdout or b"").decode("utf-8", "surrogateescape")
    errors = done.stderr.decode("utf-8", "replace")
    holds = done.returncode == want
    if out is not None:
        holds = holds and re.search(out, text, re.S) is not None
    if want != 0:
        holds = holds and is_one_line(errors)
    if error is not None:
        holds = holds and re.search(error, errors) is not None
    check(f"{what} -> {want}", holds,
          f"exit {done.returncode}, out {text[:300]!r}, err {errors[:300]!r}")
    return text


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def started(home, *options):
    """parleyd on a home, ready."""
    path = pathlib.Path(home)
    node = nodes.Home(path.parent, path.name)
    node.errors = pathlib.Path(os.environ["XDG_STATE_HOME"] + "-" + path.name[:40] + ".log")
    return node.start(*options)


def wait_for(what, question, seconds=30):
    end = time.monotonic() + seconds
    answer = None
    while time.monotonic() < end:
        answer = question()
        if answer:
            break
        time.sleep(0.1)
    check(what, bool(answer), f"still not after {seconds} s")
    return answer


def close(table):
    """What the table says and the walk has not seen, and the other way round."""
    for command, statuses in table.items():
        for status in map(int, statuses.split()):
            check(f"{command} -> {status} was walked", (command, status) in SEEN)
    for command, status in sorted(s for s in SEEN if s[0] in table):
        check(f"{command} -> {status} stands in the table", str(status) in table[command].split())
