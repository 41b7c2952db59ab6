"""check, rebuild, repair: on a home that is well, under a node, and on one that is damaged."""
import glob
import json
import os
import re
import subprocess

from .ledger import PARLEYD, check, is_one_line, lines, parley, row, started


def walk_store(scratch):
    home = os.path.join(scratch, "stored")
    row("init", 0, "init", "--json", home=home)
    row("post", 0, "post", "one", home=home)
    row("check", 0, "check", home=home, out="^good: 1 entries in 1 logs, 2 identity records\n")
    told = lines(row("check --json", 0, "check", "--json", home=home))
    check("check counts", told == [{"valid": True, "damages": 0, "logs": 1, "entries": 1,
                                    "records": 2}], told)
    row("rebuild", 0, "rebuild", home=home)
    row("check after it", 0, "check", home=home)
    node = started(home)
    row("check of a running node", 0, "check", home=home, out="^good: 1 entries")
    row("rebuild under a node", 1, "rebuild", home=home, error="stop it first")
    row("repair under a node", 1, "repair", home=home, error="stop it first")
    check("the node stops", node.end() == 0)
    walk_without_database(home)
    walk_damaged(home)


def walk_without_database(home):
    away = home + ".away"
    os.rename(os.path.join(home, "db"), away)
    for command, status in (("status", 4), ("check", 1), ("rebuild", 4), ("repair", 4)):
        row(f"{command} without the database", status, command, home=home, error=re.escape(home))
    check("a repair of nothing leaves nothing", not glob.glob(os.path.join(home, "db*")), os.listdir(home))
    os.rename(away, os.path.join(home, "db"))
    row("and with it again", 0, "check", home=home)


def walk_damaged(home):
    (manifest,) = glob.glob(os.path.join(home, "db", "MANIFEST-*"))
    damaged = open(manifest, "rb").read()[:-7]
    open(manifest, "wb").write(damaged)
    row("a database that was cut", 4, "timeline", home=home, error="repair")
    row("check names the file", 1, "check", home=home, error=os.path.basename(manifest))
    done = subprocess.run([PARLEYD, "--home", home], capture_output=True, timeout=30)
    words = done.stderr.decode()
    check("parleyd on it -> 4", done.returncode == 4 and is_one_line(words, "parleyd")
          and "repair" in words, done)
    told = lines(row("repair", 0, "repair", "--json", home=home))[-1]
    kept = open(os.path.join(told["copy"], os.path.basename(manifest)), "rb").read()
    check("it copied first", kept == damaged and told["new_log"] is True, told)
    row("check after the repair", 0, "check", home=home)
    row("posts go on", 0, "post", "two", home=home)
    logs = {json.loads(line)["log"] for line in parley("timeline", "--json", home=home).stdout.splitlines()}
    check("in a new log", len(logs) == 2, logs)
    row("repair of what is well", 0, "repair", home=home)
    row("check after it", 0, "check", home=home)
