#!/usr/bin/env python3
"""Walks every command of `parley` with the real programs: answers and exit statuses, with a node
running on the home and with none; cli/table.py lists them, and what is missing is a failure.
Usage: cli_walk.py PARLEYD PARLEY"""
import json
import os
import tempfile

from cli import ledger
from cli.bad_input import walk_bad_input
from cli.bundles import walk_bundles
from cli.guard import walk_tcp
from cli.invites import walk_invites
from cli.keys import walk_keys
from cli.ledger import check, parley, row, started
from cli.moderation import walk_moderation
from cli.naughty import walk_naughty
from cli.network import walk_no_node, walk_with_node
from cli.people import walk_people
from cli.reading import walk_ndjson, walk_posts, walk_timeline
from cli.saying import walk_erase_with_nodes, walk_missing_parts, walk_saying
from cli.statuses import walk_statuses
from cli.store import walk_store
from cli.streams import walk_streams
from cli.table import TABLE
from cli.trouble import walk_full_disk, walk_kill, walk_long_path, walk_trouble
from cli.usage import walk_init, walk_quoted, walk_usage


def walk_one_home(scratch):
    home, relay_home = os.path.join(scratch, "home"), os.path.join(scratch, "relay")
    other_home = os.path.join(scratch, "other")
    walk_usage(home)
    author = walk_init(home, relay_home)
    first = walk_posts(home, author)
    walk_quoted(home)
    walk_ndjson(home)
    walk_timeline(home, author, first)
    other = json.loads(parley("init", "--json", home=other_home).stdout)["author"]
    walk_people(home, other)
    walk_keys(home, other, scratch)
    walk_bundles(home, author, scratch)
    walk_bad_input(scratch, home, author)
    walk_no_node(home)
    walk_with_node(home, relay_home, scratch, author)
    walk_saying(home, author, other_home, other)
    key = json.loads(parley("id", "--json", home=relay_home).stdout)["node_key"]
    walk_statuses(scratch, home, relay_home, {"POST": first, "AUTHOR": other, "KEY": key})


def walk_many_homes(scratch):
    walk_invites(scratch)
    walk_moderation(scratch)
    walk_missing_parts(scratch)
    walk_erase_with_nodes(scratch)
    walk_tcp(scratch)
    walk_streams(scratch)
    walk_kill(scratch)
    walk_trouble(scratch)
    walk_store(scratch)
    walk_full_disk(scratch)
    walk_long_path(scratch)
    naughty_home = os.path.join(scratch, "naughty")
    row("init for naughty strings", 0, "init", "--json", home=naughty_home)
    node = started(naughty_home)
    walk_naughty(naughty_home)
    check("the node stops", node.end() == 0)


def main():
    with tempfile.TemporaryDirectory(prefix="parley-cli-") as scratch:
        os.environ["XDG_STATE_HOME"] = os.path.join(scratch, "state")
        walk_one_home(scratch)
        walk_many_homes(scratch)
    ledger.close(TABLE)
    print(f"1..{ledger.COUNT}")
    if ledger.FAILED:
        raise SystemExit(f"{len(ledger.FAILED)} of {ledger.COUNT} failed: "
                         + "; ".join(ledger.FAILED[:20]))


main()
