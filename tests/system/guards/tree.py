#!/usr/bin/env python3
"""The tree keeps its shape: few names at the top, no file that grew too long."""
import os
import re

from guard import ROOT, Tap, read, sources

TOP = {"LICENSE", "README.md", "include", "meson.build", "node", "proto", "tests", "tools"}
LINES_MAX = 600
LINES_WISHED = 400
# Names of work that was put off; a reader cannot tell what they promise.
PUT_OFF = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def main():
    tap = Tap()
    names = {name for name in os.listdir(ROOT) if not name.startswith((".", "build"))}
    tap.claim("the top level holds only its rooms", sorted(names - TOP))
    lengths = {path: read(path).count("\n") for path in sources()}
    tap.claim(f"no source has more than {LINES_MAX} lines",
              [f"{path}: {lines} lines" for path, lines in lengths.items() if lines > LINES_MAX])
    for path, lines in lengths.items():
        if LINES_WISHED < lines <= LINES_MAX:
            print(f"# {path}: {lines} lines, more than {LINES_WISHED}")
    tap.claim("no source puts work off in a comment",
              [path for path in sources() if PUT_OFF.search(read(path))])
    tap.finish()


main()
