#!/usr/bin/env python3
"""Arrows point downward only, and every public header compiles alone.

Usage: includes.py COMPILER [ARGUMENT...]
"""
import re
import subprocess
import sys

from guard import ROOT, Tap, floor_of, read, sources

# Who may look at whom, among our own floors.
MAY_SEE = {
    "proto": {"proto"},
    "core": {"proto", "core"},
    "store": {"proto", "core", "store"},
    "shell": {"proto", "core", "store", "shell"},
    "main": {"proto", "core", "store", "shell"},
    "tools": {"proto", "core", "store", "shell", "tools"},
}
MAY_SEE["proto test"] = MAY_SEE["proto"] | {"proto test", "tests"}
MAY_SEE["core test"] = MAY_SEE["core"] | {"core test", "tests"}
# The store's suite runs on every engine: that of the product and that of the simulator.
MAY_SEE["store test"] = MAY_SEE["store"] | {"store test", "tests", "shell", "sim"}
# The oracle of the simulator is that of the tests of the rules: one second writing.
MAY_SEE["sim"] = MAY_SEE["store"] | {"sim", "tests", "proto test"}
MAY_SEE["tests"] = set(MAY_SEE["tools"]) | {"proto test", "core test", "store test", "sim", "tests"}

# What a pure floor may take from outside: nothing that knows a socket, a file, a clock or a thread.
PURE = {"assert.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdbool.h", "stddef.h",
        "stdint.h", "string.h", "sodium.h", "msgpack.h"}
OUTSIDE = {
    "proto": PURE,
    "core": PURE | {"stdlib.h"},
    "store": PURE | {"stdlib.h"},
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def resolve(path, kind, name, headers):
    """The file of ours that an include names, or None: it comes from outside."""
    if name.startswith("parley/"):
        return f"include/{name}"
    if kind == "<":
        return None
    matches = [header for header in headers if ("/" + header).endswith("/" + name.lstrip("./"))]
    beside = path.rsplit("/", 1)[0]
    matches.sort(key=lambda header: (header.rsplit("/", 1)[0] != beside, header))
    return matches[0] if matches else None


def judge(path, headers):
    floor = floor_of(path)
    objections = []
    for kind, name in INCLUDE.findall(read(path)):
        target = resolve(path, kind, name, headers)
        if target is None:
            allowed = OUTSIDE.get(floor)
            outside = name in (allowed or ()) or name.startswith(("sodium/", "msgpack/"))
            if allowed is not None and not outside:
                objections.append(f"{path}: <{name}> is not for the floor {floor}")
        elif floor_of(target) not in MAY_SEE[floor]:
            objections.append(f"{path}: {target} stands above the floor {floor}")
    return objections


def compile_alone(command, header):
    """Twice, so that the include guard is tried as well."""
    name = header[len("include/"):]
    text = f"#include <{name}>\n#include <{name}>\n"
    done = subprocess.run(
        command + ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                   f"-I{ROOT}/include", "-x", "c", "-"],
        input=text, text=True, capture_output=True, check=False)
    return done.stderr.splitlines() if done.returncode else []


def main():
    tap = Tap()
    headers = sources(endings=(".h",))
    by_floor = {}
    for path in sources():
        by_floor.setdefault(floor_of(path), []).append(path)
    for floor, paths in sorted(by_floor.items()):
        objections = [line for path in paths for line in judge(path, headers)]
        tap.claim(f"{floor}: {len(paths)} files look downward only", objections)
    for header in sources("include"):
        tap.claim(f"{header} compiles alone", compile_alone(sys.argv[1:], header))
    tap.finish()


main()
