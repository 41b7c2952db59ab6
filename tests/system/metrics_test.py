"""GET /metrics: every line is what Prometheus' text format allows, and the figures are those of what
was done."""
import math
import re
import subprocess
import time

from nodes import lines_of_posts, run, wait_until

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\+Inf|-?[0-9]+(?:\.[0-9]+)?)")
TYPES = {"counter", "gauge", "histogram"}


def fetch(home, path="/metrics"):
    done = subprocess.run(["curl", "-s", "-m", "20", "-w", "\n%{http_code} %{content_type}", "--unix-socket",
                           home.path / "api.sock", "http://p" + path],
                          capture_output=True, text=True, check=True)
    text, _, tail = done.stdout.rpartition("\n")
    assert tail == "200 text/plain; version=0.0.4; charset=utf-8", tail
    return text


def parse(text):
    """{name: (type, {labels: value})}; each family once, HELP and TYPE before its samples."""
    assert text.endswith("\n")
    families, helped, name = {}, set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            assert re.fullmatch(NAME, name) and words and name not in helped, line
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, typed, kind = line.split(" ")
            assert typed == name and kind in TYPES and name not in families, line
            families[name] = (kind, {})
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            found, labels, value = sample.groups()
            kind, values = families[name]
            suffix = found[len(name):]
            assert found.startswith(name), line
            assert suffix in ({"_bucket", "_sum", "_count"} if kind == "histogram" else {""}), line
            key = suffix + "{" + (labels or "") + "}" if suffix or labels else ""
            assert key not in values, f"twice: {line}"
            values[key] = float(value)
            assert math.isfinite(values[key]) and values[key] >= 0, line
    assert helped == set(families) and all(values for _, values in families.values())
    for name, (kind, _) in families.items():
        assert (kind == "counter") == name.endswith("_total"), name
    return families


def total(families, name):
    return sum(families[name][1].values())


def every_line_is_of_the_format(scratch):
    home = scratch.home("a").init().start()
    families = parse(fetch(home))
    for name in ("parley_peers", "parley_entries", "parley_logs", "parley_authors", "parley_store_bytes",
                 "parley_received_bytes_total", "parley_sent_bytes_total", "parley_published_total",
                 "parley_checks_total", "parley_commit_operations", "parley_uptime_seconds",
                 "process_resident_memory_bytes"):
        assert name in families, name
    assert parse(fetch(home, "/v1/metrics")).keys() == families.keys()
    assert home.end() == 0


def the_figures_are_those_of_what_was_done(scratch):
    relay = scratch.home("r").start("--relay")
    home = scratch.home("a").init().start(peers=[relay.address])
    wait_until(lambda: len(home.json("peers")) == 1, "the link")
    home.parley("post", "--ndjson", text=lines_of_posts(40))
    wait_until(lambda: relay.json("status")[0]["entries"] >= 40, "the posts")
    status = home.json("status")[0]
    mine, theirs = parse(fetch(home)), parse(fetch(relay))
    for name in ("peers", "entries", "logs", "authors"):
        assert total(mine, "parley_" + name) == status[name], name
    assert total(mine, "parley_published_total") == 40
    assert total(theirs, "parley_published_total") == 0
    assert mine["parley_writable"][1][""] == 1
    assert mine["parley_received_messages_total"][1]['{kind="hello"}'] == 1
    assert mine["parley_sent_bytes_total"][1]['{kind="hello"}'] > 32
    came = theirs["parley_received_bytes_total"][1]
    assert came['{kind="push"}'] + came['{kind="run"}'] > 40 * 100, came
    assert came['{kind="other"}'] == 0
    assert theirs["parley_checks_total"][1]['{result="good"}'] > 0
    assert theirs["parley_checks_total"][1]['{result="bad"}'] == 0
    assert home.end() == 0 and relay.end() == 0


def buckets_hold_what_is_in_those_below(scratch):
    home = scratch.home("a").init().start()
    home.parley("post", "--ndjson", text=lines_of_posts(300))
    commits = parse(fetch(home))["parley_commit_operations"][1]
    counts = [value for key, value in commits.items() if key.startswith("_bucket")]
    assert counts == sorted(counts) and counts[-1] == commits["_count{}"] > 0, commits
    assert counts[-2] == counts[-1], "no commit takes more than the largest bound"
    assert commits["_sum{}"] >= 300 and commits["_sum{}"] >= commits["_count{}"]
    assert home.end() == 0


def a_node_that_nobody_reads_makes_no_index(scratch):
    def indexed():
        return home.ask("GET", "/v1/work", None)[1]["indexed"]
    home = scratch.home("a").init()
    home.parley("post", "--ndjson", text=lines_of_posts(40))
    home.start()
    home.parley("post", "and one while it runs")
    time.sleep(0.5)
    assert indexed() == 0
    assert len(home.json("timeline")) == 41
    wait_until(lambda: indexed() == 41, "the index of who reads")
    assert home.end() == 0


run(every_line_is_of_the_format,
    the_figures_are_those_of_what_was_done,
    buckets_hold_what_is_in_those_below,
    a_node_that_nobody_reads_makes_no_index)
