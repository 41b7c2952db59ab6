"""How it is called: help, versions, wrong words, and homes being made."""
import json
import os
import stat
import subprocess

from .ledger import check, row


def walk_usage(home):
    row("--help", 0, "--help", out="timeline")
    row("--version", 0, "--version", out=r"^parley \d")
    row("help of a command", 0, "post", "--help", out="--ndjson")
    row("no command", 2)
    row("an unknown command", 2, "shout")
    row("an unknown option", 2, "--loud", "id", error="--loud: no such option")
    row("an unknown letter", 2, "post", "-x", home=home, error="-x: no such option.*parley post --help")
    row("a value that is missing", 2, "mute", "--word", home=home, error="--word: its value is missing")
    row("a home that is missing", 2, "--home", error="--home: its value is missing")
    row("a value that nobody asked for", 2, "id", "--json=yes", home=home, error="takes no value")
    for words in (["help"], ["-h"]):
        row(" ".join(words), 0, *words, out="timeline")
    for words in (["help", "post"], ["post", "-h"]):
        row(" ".join(words), 0, *words, out="^Usage: parley post.*--ndjson")
    row("help of nothing", 2, "help", "shouting", error="no such command")
    row("an unknown option of a command", 2, "id", "--loud", home=home)
    row("too many arguments", 2, "id", "more", home=home)
    row("too few arguments", 2, "follow", home=home)
    row("a limit that is no number", 2, "timeline", "--limit", "ten", home=home)
    row("post without a text", 2, "post", home=home)
    row("a home without a name", 2, "id", "--home", "", error="--home")
    row("a home under a file", 4, "id", home="/proc/version/home", error="Not a directory")


def walk_quoted(home):
    """"--" ends the options, before the command and behind it."""
    for words in (["--", "post", "--json"], ["post", "--", "--json"]):
        post = row(" ".join(words), 0, *words, home=home, out="^post1").strip()
        row("it is the text", 0, "show", post, home=home, out=r"\n    --json\n")
    row("-- before too many words", 2, "--", "id", "--json", home=home, error="too many")


def walk_init(home, relay_home):
    row("id without an identity", 1, "id", home=home)
    text = row("init", 0, "init", "--json", home=home)
    made = json.loads(text)
    check("init tells author and words", made["author"].startswith("parley1")
          and len(made["words"].split()) == 12, text)
    check("the home is 0700", stat.S_IMODE(os.stat(home).st_mode) == 0o700)
    row("init twice", 1, "init", home=home)
    row("init --relay", 0, "init", "--relay", "--json", home=relay_home)
    row("init --relay twice", 1, "init", "--relay", home=relay_home)
    row("a relay cannot post", 1, "post", "x", home=relay_home)
    row("id after the command", 0, "id", "--home", home, "--json", out=made["author"])
    row("id by $PARLEY_HOME", 0, "id", out=made["author"], env={"PARLEY_HOME": home})
    row("id in words", 0, "id", home=home, out="author +parley1")
    held = subprocess.run(["grep", "-rlF", made["words"], home], capture_output=True)
    check("the words are nowhere in the home", held.returncode == 1, held.stdout)
    return made["author"]
