"""Devices, the root and the words: what is typed, what is answered. Stories with several machines
are in devices_test.py."""
import json
import os
import signal

from .ledger import check, lines, parley, row, started


def walk_devices(home, other, scratch):
    got = lines(row("device list", 0, "device", "list", "--json", home=home))
    check("one device, which is this", len(got) == 1 and got[0]["this"]
          and got[0]["state"] == "open" and got[0]["seq"] > 0 and got[0]["since"] > 0, got)
    row("device list in words", 0, "device", "list", home=home, out="open  this device  newest")
    row("device without a word", 2, "device", home=home)
    row("device with another word", 2, "device", "lose", home=home)
    row("device revoke of nothing", 2, "device", "revoke", home=home)
    row("device list of something", 2, "device", "list", "that", home=home)
    row("device add", 0, "device", "add", home=home, out="init --join parley1")
    row("device add of no request", 1, "device", "add", "pdevice-00", home=home, error="pdevice-")
    row("device revoke of none", 1, "device", "revoke", "ffff00000000", home=home)
    row("device revoke of too little", 1, "device", "revoke", got[0]["device"][:3], home=home)
    row("device revoke of this one", 1, "device", "revoke", "this", home=home, error="rotate")
    author = json.loads(parley("id", "--json", home=home).stdout)["author"]
    joins = os.path.join(scratch, "joins")
    asked = json.loads(row("init --join", 0, "init", "--json", "--join", author, home=joins))
    check("no root came", not os.path.exists(os.path.join(joins, "root.key")))
    row("init --join again", 0, "init", "--join", author, home=joins, out=asked["request"])
    row("init --join of another", 1, "init", "--join", other, home=joins)
    row("init --join of nobody", 1, "init", "--join", author[:20], home=os.path.join(scratch, "no"))
    row("init --join with a name", 2, "init", "--join", author, "--name", "x", home=joins)
    row("init with a generation alone", 2, "init", "--generation", "1", home=joins)
    row("init --join of no generation", 2, "init", "--join", author, "--generation", "64", home=joins)
    row("device add before its own", 1, "device", "add", home=joins, error="connect")
    row("status of one that waits", 0, "status", "--json", home=joins, out='"device_state":"waiting"')
    row("post of one that waits", 1, "post", "x", home=joins, error="device add")
    flipped = asked["request"][:-1] + ("0" if asked["request"][-1] != "0" else "1")
    row("device add of a wrong letter", 1, "device", "add", flipped, home=home)
    late = json.loads(parley("init", "--json", "--join", author, "--generation", "3",
                             home=joins).stdout)
    row("device add of another generation", 1, "device", "add", late["request"], home=home,
        error="generation 3")
    row("device add REQUEST", 0, "device", "add", asked["request"], home=home, out=asked["device"])
    row("device add of one that was", 0, "device", "add", asked["request"], home=home)
    row("device revoke, nothing held", 1, "device", "revoke", asked["device"], home=home,
        error="--last none")
    row("device revoke --last none", 0, "device", "revoke", asked["device"], "--last", "none",
        home=home)
    row("device revoke again", 1, "device", "revoke", asked["device"], home=home)
    row("device add of a revoked one", 1, "device", "add", asked["request"], home=home)


def walk_words(scratch):
    home, empty = os.path.join(scratch, "words"), os.path.join(scratch, "recovered")
    words = json.loads(parley("init", "--json", home=home).stdout)["words"].encode()
    file = os.path.join(scratch, "a-file-again")
    open(file, "w").close()
    row("rotate without the words", 1, "rotate", home=home, error="words are missing")
    row("rotate with the words on the line", 2, "rotate", words.decode(), home=home)
    row("rotate to keep nobody", 1, "rotate", "--keep", "abcd1234", home=home, stdin=words)
    row("rotate", 0, "rotate", "-", home=home, stdin=words, out="generation 1")
    row("post after that", 0, "post", "x", home=home)
    row("rotate with the same key", 0, "rotate", "--json", "--keep", "this", home=home, stdin=words,
        out='"new_device":false')
    row("rotate, and all others end", 0, "rotate", "--drop", "all", home=home, stdin=words)
    row("recover without the words", 1, "recover", home=empty, error="words are missing")
    row("recover with other words", 1, "recover", home=empty, stdin=b"zoo " * 12)
    row("recover with the words on the line", 2, "recover", words.decode(), home=empty)
    row("recover where the home is a file", 4, "recover", home=file, stdin=words)
    row("recover", 0, "recover", home=empty, stdin=words, out="author +parley1")
    row("recover again", 0, "recover", "--json", home=empty, stdin=words, out='"generation":0')
    row("init where one has recovered", 1, "init", home=empty)
    node = started(empty)
    row("recover with a node", 0, "recover", home=empty, stdin=words)
    node.process.send_signal(signal.SIGSTOP)
    row("recover of a node that does not answer", 5, "recover", home=empty, stdin=words)
    node.process.send_signal(signal.SIGCONT)
    check("it goes on", node.end() == 0)


def walk_keys(home, other, scratch):
    walk_devices(home, other, scratch)
    walk_words(scratch)
