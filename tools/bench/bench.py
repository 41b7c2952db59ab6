#!/usr/bin/env python3
"""Figures of this machine, one JSON object a line and a table at the end: what the rules cost, what
the store does, and what real nodes do. Compare by ratio within one run: machines are noisy.

Usage: bench.py [--build DIR] [--quick] [--curves]
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
import copies  # noqa: E402
import curves  # noqa: E402
import live  # noqa: E402
import machine  # noqa: E402
import report  # noqa: E402
from people import Failed  # noqa: E402

RUNS = 5  # of what takes less than ten seconds


def measure(build, folder, scale, runs):
    machine.describe(folder)
    machine.sync_latency(folder)
    machine.rules(build, runs)
    machine.reconciliation(build, scale)
    for count in (100_000 // scale, 2_000_000 // scale):
        machine.store(build, folder, count)
    for clients, posts in ((1, 20_000), (8, 5_000)):
        report.keep(f"publish_{clients}_per_second",
                    [live.publish(build, folder, clients, posts // scale) for _ in range(runs)], 0)
    live.one_by_one(build, folder, 400 // min(scale, 4))
    live.to_many(build, folder, 1000 // scale, 20)
    copies.all_of_it(build, folder, 1000 // scale, 100, runs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path,
                        default=os.environ.get("PARLEY_BUILD", ROOT / "build"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, once")
    parser.add_argument("--curves", action="store_true",
                        help="how figures go with size instead; half an hour")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    scale = 10 if options.quick else 1
    os.environ.pop("PARLEY_HOME", None)
    # Beside the build, so that it is the machine's disk and not a file system in memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        folder = pathlib.Path(name)
        if options.curves:
            machine.describe(folder)
            curves.all_of_them(build, folder, scale)
        else:
            measure(build, folder, scale, 1 if options.quick else RUNS)
            report.table()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, subprocess.SubprocessError) as failure:
        sys.exit(f"bench: {failure}")
