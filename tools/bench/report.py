"""What a run prints: one JSON object a line, and at the end a table for people."""
import json
import statistics

# name -> words, what is wanted, and whether less is better. `checks` times the signature checks of
# one core, `sync` and `sync99` times the disk's own p50 and p99, all of the same run.
GOALS = (
    ("copy_per_second", "full copy to an empty node, posts/s", "20 checks"),
    ("import_per_second", "the same from a file, posts/s", "20 checks"),
    ("serve_per_second", "serving, posts/s", "500000"),
    ("export_per_second", "exporting, posts/s", "500000"),
    ("wire_bytes_per_post", "bytes on the wire per post", "<310"),
    ("publish_1_per_second", "publishing, 1 client, posts/s", ""),
    ("publish_8_per_second", "publishing, 8 clients, posts/s", "20000"),
    ("live_p50_ms", "one post, request to event, p50 ms", "<2 sync + 0.7"),
    ("live_p99_ms", "one post, request to event, p99 ms", "<2 sync99 + 2"),
    ("fan_p50_ms", "one post to 1,000 peers, p50 ms", "<10"),
    ("fan_p99_ms", "one post to 1,000 peers, p99 ms", "<40"),
    ("disk_bytes_per_post", "bytes on disk per post", "<350"),
    ("rss_mb", "memory after a restart, MB", "<12"),
    ("start_seconds", "start to serving, s", "<0.02"),
)

figures = {}


def say(name, **values):
    print(json.dumps({"bench": name, **values}), flush=True)


def keep(name, values, digits=3):
    """Several measurements of one figure: the median counts, the spread is told."""
    figures[name] = statistics.median(values)
    spread = {"median": round(figures[name], digits), "lowest": round(min(values), digits),
              "highest": round(max(values), digits), "runs": len(values)}
    checks = figures.get("checks")
    if name.endswith("_per_second") and checks:
        spread["ratio_to_checks"] = round(figures[name] / checks, 2)
    say(name, **spread)


def bound(goal):
    """The number that a goal stands for in this run; None: none is set, or it was not measured."""
    total, words = 0.0, goal.lstrip("<").split(" + ")
    for part in words:
        number, _, unit = part.partition(" ")
        if number == "":
            return None
        if unit and unit not in figures:
            return None
        total += float(number) * (figures[unit] if unit else 1)
    return total


def table():
    print(f"\n{'':44}{'here':>12}{'wanted':>14}{'':>6}")
    for name, words, goal in GOALS:
        if name not in figures:
            continue
        here, limit = figures[name], bound(goal)
        holds = limit is None or (here <= limit if goal.startswith("<") else here >= limit)
        sign = "" if limit is None else ("<= " if goal.startswith("<") else ">= ")
        wanted = "" if limit is None else f"{sign}{limit:,.2f}".rstrip("0").rstrip(".")
        print(f"{words:44}{f'{here:,.2f}'.rstrip('0').rstrip('.'):>12}{wanted:>14}"
              f"{'' if holds else '  not':>6}")
    if "checks" in figures and "copy_per_second" in figures:
        print(f"\n{figures['checks']:,.0f} signature checks/s on one core; a full copy is "
              f"{figures['copy_per_second'] / figures['checks']:.1f} times, an import "
              f"{figures['import_per_second'] / figures['checks']:.1f} times as fast.")
