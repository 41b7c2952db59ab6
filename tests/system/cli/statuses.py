"""Every command of the table as far as it goes where nothing works: wrong words, no identity, homes
that are none, an output that is full, no node, a node that does not answer."""
import os
import re
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

from .ledger import PARLEY, SEEN, check, is_one_line, parley, row, started, wait_for
from .table import EITHER, OFFLINE, ONLINE, TABLE, WORDS


def words_of(command, names):
    return [command] + [re.sub("POST|AUTHOR|KEY", lambda m: names[m.group(0)], word)
                        for word in WORDS[command]]


def walk_the_list():
    text = parley("--help").stdout.decode()
    listed = set(re.findall(r"^  ([a-z]+) +\S", text.split("Commands;")[1], re.M))
    check("every command that --help lists stands in the table", listed == set(TABLE),
          listed ^ set(TABLE))


def walk_usage_of_all(home):
    for command in TABLE:
        row(f"{command} with an unknown option", 2, command, "--loud", home=home)
        done = parley(command, "--help")
        check(f"{command} --help", done.returncode == 0 and done.stdout, done)


def walk_homes_of_none(scratch, names):
    """Where no identity is, and where no home can be."""
    nowhere, file = os.path.join(scratch, "nowhere"), os.path.join(scratch, "a-file")
    open(file, "w").close()
    for command in EITHER:
        words = words_of(command, names)
        row(f"{command} where there is no home", 1, *words, home=nowhere, error="init")
        row(f"{command} where the home is a file", 4, *words, home=file)
    check("none was made", not os.path.exists(nowhere))
    row("init where the home is a file", 4, "init", home=file)


def walk_full_output(home, relay_home, names):
    """What cannot be told was not done well, whatever came of it."""
    row("verify of what is not there", 4, "verify", os.path.join(home, "none"))
    relay, node = started(relay_home, "--relay"), started(home)
    key = relay.address.split("@")[0]
    with open("/dev/full", "w", encoding="utf-8") as full:
        row("connect to a full output", 4, "connect", relay.address, home=home, stdout=full)
        wait_for("connected all the same", lambda: key in parley("peers", home=home).stdout.decode())
        row("peers to a full output", 4, "peers", home=home, stdout=full)
        row("open to a full output", 4, "open", "--json", home=home, stdout=full)
        row("disconnect to a full output", 4, "disconnect", key, home=home, stdout=full)
        row("timeline to a full output", 4, "timeline", "--limit", "1", home=home, stdout=full)
    check("both stop", relay.end() == 0 and node.end() == 0)


def walk_no_node(home, names):
    for command in ONLINE:
        row(f"{command} without a node", 3, *words_of(command, names), home=home, error="parleyd")


def walk_silent_node(home, names):
    """A node that runs and does not answer: all commands wait for it at one time."""
    node = started(home)
    node.process.send_signal(signal.SIGSTOP)
    commands = [c for c in TABLE if c not in OFFLINE]

    def ask(command):
        return command, subprocess.run([PARLEY, "--home", home, *words_of(command, names)],
                                       input=b"", capture_output=True, timeout=60)
    with ThreadPoolExecutor(len(commands)) as pool:
        for command, done in pool.map(ask, commands):
            SEEN.add((command, done.returncode))
            check(f"{command} of a node that does not answer -> 5", done.returncode == 5
                  and is_one_line(done.stderr.decode()), done)
    node.process.send_signal(signal.SIGCONT)
    check("it goes on", node.end() == 0)


def walk_statuses(scratch, home, relay_home, names):
    walk_the_list()
    walk_usage_of_all(home)
    walk_homes_of_none(scratch, names)
    if os.path.exists("/dev/full"):
        walk_full_output(home, relay_home, names)
    walk_no_node(home, names)
    walk_silent_node(home, names)
