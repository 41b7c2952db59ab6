"""What bad input gets: an error that names what, where and at which byte; nothing lost, nothing else
disturbed."""
import json
import os
import re
import socket
import subprocess
import time

from .ledger import PARLEYD, check, is_one_line, lines, parley, row, started, wait_for


def refused(what, want, words, *options):
    """parleyd that ends by itself: one line, the status, no standard output."""
    done = subprocess.run([PARLEYD, *map(str, options)], capture_output=True, text=True, timeout=30)
    check(f"{what} -> {want}", done.returncode == want and is_one_line(done.stderr, "parleyd")
          and re.search(words, done.stderr) and done.stdout == "", done)


def digest_of(home):
    return parley("digest", home=home).stdout


def walk_named(home, author):
    """What, where, at which byte."""
    post = lines(parley("timeline", "--limit", "1", "--json", home=home).stdout.decode())[0]["post"]
    wrong = post[:20] + ("q" if post[20] != "q" else "p") + post[21:]
    row("a wrong letter of a post", 1, "show", wrong, home=home, error="post: .*letter")
    row("a foreign letter of a post", 1, "show", post[:9] + "b" + post[10:], home=home, error="letter 10")
    row("a wrong letter of an author", 1, "follow", author[:-1] + "b", home=home, error="letter")
    row("a line that is no JSON", 1, "post", "--ndjson", home=home,
        stdin=b'{"text":"kept"}\n{"text":"x",}\n', error=r"line 2: .*at byte \d+")
    row("a line that is not UTF-8", 1, "post", "--ndjson", home=home,
        stdin=b'{"text":"\xff"}\n', error=r"line 1: .*at byte \d+")
    row("a time that is nothing", 1, "post", "--ndjson", home=home,
        stdin=b'{"text":"x","time":0}\n', error="line 1: time .*above 0")
    row("a line that is cut within a letter", 1, "post", "--ndjson", home=home,
        stdin=('{"text":"x"' + "é" * 300 + "\n").encode(), error=r"line 1: ")
    row("a time that is none", 1, "post", "--ndjson", home=home,
        stdin=b'{"text":"x","time":-1}\n', error="line 1: time")


def walk_daemon_usage(home):
    for words, says in ((["-x"], "-x: no such option"), (["foo"], "foo: no such argument"),
                        (["--listen"], "--listen: its value is missing"),
                        (["--listen", "x"], "HOST:PORT"), (["--relay=1"], "takes no value"),
                        (["--loud"], "--loud: no such option"), (["--quota", "5"], "a size from"),
                        (["--peer", "foo"], "KEY@HOST:PORT"), (["--log", "loud"], "debug")):
        refused("parleyd " + " ".join(words), 2, re.escape(says) + ".*parleyd --help", "--home", home,
                *words)


def walk_config(scratch, home):
    config = os.path.join(scratch, "config")
    for line, words in (("listen", "2: the file ends where a value"),
                        ("erase-after = 3 weeks", "2: erase-after = 3: a time from"),
                        ("what = 1", "2: no such key: what"), ("hops = 12", "2: hops = 12: a number"),
                        ("x" * 2000, "2: no such key: x")):
        open(config, "w", encoding="utf-8").write("log = error\n" + line + "\n")
        refused(f"a configuration with {line[:20]!r}", 2, re.escape(config) + ":" + words,
                "--home", home, "--config", config)


def walk_damage(scratch, home):
    """A bundle that is cut or changed: what is before the damage is taken, what is behind is not."""
    whole = parley("export", home=home).stdout
    entries = json.loads(parley("verify", "--json", "-", stdin=whole).stdout)["entries"]
    for part in (3, 2):
        cut = whole[:len(whole) * (part - 1) // part]
        said = parley("verify", "-", stdin=cut).stderr.decode()
        check(f"a cut is named by its byte ({part})", re.search(r"byte \d+", said), said)
        reader = os.path.join(scratch, f"cut-{part}")
        row("init", 0, "init", "--json", home=reader)
        row("import what is cut", 1, "import", "-", stdin=cut, home=reader, error=r"byte \d+")
        got = lines(parley("timeline", "--limit", "0", "--json", home=reader).stdout.decode())
        held = json.loads(parley("status", "--json", home=reader).stdout)["entries"]
        check("what was good is here, and nothing else", held < entries and len(got) <= held
              and (part == 2 or held > 0), held)
        row("the rest comes later", 0, "import", "-", stdin=whole, home=reader)
        check("and all is here", json.loads(parley("status", "--json", home=reader).stdout)["entries"]
              >= entries)
    changed = bytearray(whole)
    at = whole.index(b"line 700")
    changed[at] ^= 1
    said = parley("verify", "-", stdin=bytes(changed)).stderr.decode()
    check("a change is named by log, entry and byte",
          re.search(r"entry \d+ of log [0-9a-f]{64}, byte \d+: ", said), said)
    reader = os.path.join(scratch, "changed")
    row("init", 0, "init", "--json", home=reader)
    row("import what is changed", 1, "import", "-", stdin=bytes(changed), home=reader, error=r"byte \d+")
    text = parley("timeline", "--limit", "0", home=reader).stdout
    check("nothing of the changed part is here", b"line 700" not in text and b"line 699" not in text)


def walk_rubbish(home):
    """To a listener: not one byte, a word in the log, and everybody else is served."""
    node = started(home, "--log", "debug")
    port = int(node.address.rsplit(":", 1)[1])
    got = []
    probers = []
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n" * 8, bytes(400), os.urandom(4000)):
        prober = socket.create_connection(("127.0.0.1", port))
        prober.settimeout(1)
        prober.sendall(rubbish)
        probers.append(prober)
    row("a command beside rubbish", 0, "post", "undisturbed", home=home)
    wait_for("the reason is in the log", lambda: node.log().count("a handshake failed") == 3)
    time.sleep(0.3)
    for prober in probers:
        try:
            got.append(prober.recv(100))
        except (TimeoutError, ConnectionError):
            pass
        prober.close()
    check("a prober gets no byte", b"".join(got) == b"", got)
    check("the node stops", node.end() == 0)


def walk_homes(scratch, home):
    node = started(home)
    port = node.address.rsplit(":", 1)[1]
    refused("a second process on one home", 4, "another process", "--home", home, "--listen", "127.0.0.1:0")
    other = os.path.join(scratch, "port")
    row("init", 0, "init", "--json", home=other)
    refused("a port in use", 4, port, "--home", other, "--listen", "127.0.0.1:" + port)
    check("the node stops", node.end() == 0)
    key = os.path.join(other, "device.key")
    os.chmod(key, 0o640)
    refused("a key file with open permissions", 1, key, "--home", other, "--listen", "127.0.0.1:0")
    row("the command, too", 1, "post", "x", home=other, error=re.escape(key))
    os.chmod(key, 0o600)
    good = open(key, "rb").read()
    open(key, "wb").write(good[:len(good) // 2])
    refused("a key file that is cut", 4, key, "--home", other, "--listen", "127.0.0.1:0")
    row("the command, too", 4, "post", "x", home=other, error=re.escape(key))
    open(key, "wb").write(good)
    row("and whole again", 0, "post", "x", home=other)


def walk_read_only(scratch):
    """A home that cannot be written: on a disk of its own, where one may be mounted."""
    disk = os.path.join(scratch, "read-only")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk],
                      capture_output=True).returncode != 0:
        return
    try:
        home = os.path.join(disk, "home")
        row("init", 0, "init", "--json", home=home)
        row("post", 0, "post", "before", home=home)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        row("post where nothing can be written", 4, "post", "x", home=home, error=re.escape(home))
        refused("a node where nothing can be written", 4, re.escape(home), "--home", home)
        row("doctor where nothing can be written", 1, "doctor", home=home, out="bad +home +nothing can be written")
        row("init where nothing can be written", 4, "init", home=os.path.join(disk, "more"))
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        row("writable again", 0, "show", json.loads(parley("id", "--json", home=home).stdout)["author"] + "/1",
            home=home, out="before")
    finally:
        subprocess.run(["umount", disk])


def walk_bad_input(scratch, home, author):
    walk_named(home, author)
    before = digest_of(home)
    walk_daemon_usage(home)
    walk_config(scratch, home)
    walk_damage(scratch, home)
    check("nothing else is disturbed", digest_of(home) == before)
    walk_rubbish(home)
    walk_homes(scratch, home)
    walk_read_only(scratch)
