"""What the guards share: the floors of the house, and TAP on standard output."""
import os
import re
import sys

ROOT = os.environ.get("PARLEY_SOURCE_ROOT") or os.path.abspath(
    os.path.join(os.path.dirname(__file__), "..", "..", ".."))

CODE_ROOMS = ("include", "proto", "node", "tools", "tests")

# Public headers of the core and the store; every other public header belongs to proto/.
NODE_HEADERS = re.compile(r"include/parley/(node|store)\w*\.h$")


class Tap:
    """One line a claim; what speaks against it stands below it as comments."""

    def __init__(self):
        self.lines = []
        self.failed = 0

    def claim(self, name, objections):
        number = len(self.lines) + 1
        self.lines.append(name)
        self.failed += bool(objections)
        print(("not ok" if objections else "ok") + f" {number} - {name}")
        for objection in objections:
            print(f"# {objection}")

    def finish(self):
        print(f"1..{len(self.lines)}")
        sys.exit(1 if self.failed else 0)


def sources(*rooms, endings=(".c", ".h")):
    """Paths relative to the root, in order."""
    found = []
    for room in rooms or CODE_ROOMS:
        for folder, folders, names in os.walk(os.path.join(ROOT, room)):
            folders.sort()
            found += [os.path.relpath(os.path.join(folder, name), ROOT)
                      for name in sorted(names) if name.endswith(endings)]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def floor_of(path):
    """The floor on which a file stands; tests stand on the floor that they test."""
    if path.startswith("include/"):
        return "core" if NODE_HEADERS.search(path) else "proto"
    for start, floor in (
            ("proto/", "proto"), ("node/shell/", "shell"), ("node/store/", "store"),
            ("node/main.c", "main"), ("node/", "core"), ("tools/", "tools"),
            ("tests/proto/", "proto test"), ("tests/node/", "core test"),
            ("tests/store/", "store test"), ("tests/sim/", "sim"), ("tests/", "tests")):
        if path.startswith(start):
            return floor
    raise ValueError(path)
