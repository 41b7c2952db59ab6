#!/usr/bin/env python3
"""Walks every command of cli.md with the real programs: answers and exit statuses, with a node
running on the home and with none. Usage: cli_walk.py PARLEY PARLEYD"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

PARLEY, PARLEYD = sys.argv[1:3]
SOURCE = os.environ["PARLEY_SOURCE_ROOT"]
FAILED = []
COUNT = 0

# C0 and C1 controls but newline, and what changes the direction of text.
FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def check(what, holds, detail=""):
    global COUNT
    COUNT += 1
    if not holds:
        FAILED.append(what)
    print(f"{'ok' if holds else 'not ok'} {COUNT} - {what}" + ("" if holds else f": {detail}"))
    sys.stdout.flush()


def parley(*arguments, home=None, stdin=b"", cwd=None, env=None):
    command = [PARLEY] + (["--home", home] if home else []) + list(arguments)
    full = dict(os.environ, **(env or {}))
    full.pop("PARLEY_HOME", None) if not env or "PARLEY_HOME" not in env else None
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120, cwd=cwd, env=full)


def row(what, want, *arguments, out=None, **more):
    """One command, its exit status, and what its output must match; answers the output."""
    done = parley(*arguments, **more)
    text = done.stdout.decode("utf-8", "surrogateescape")
    errors = done.stderr.decode("utf-8", "replace")
    holds = done.returncode == want
    if out is not None:
        holds = holds and re.search(out, text, re.S) is not None
    if want != 0:
        holds = holds and errors.startswith("parley: ") and errors.count("\n") == 1
    check(f"{what} -> {want}", holds, f"exit {done.returncode}, out {text[:300]!r}, err {errors[:300]!r}")
    return text


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


class Node:
    """parleyd on a home, ready."""

    def __init__(self, home, *arguments, listen=True):
        command = [PARLEYD, "--home", home]
        command += ["--listen", "127.0.0.1:0"] if listen else []
        self.process = subprocess.Popen(command + list(arguments), stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        line = self.process.stdout.readline().decode()
        if not line.startswith("ready "):
            raise SystemExit("parleyd did not start: " + self.process.stderr.read().decode())
        self.address = line.split()[1]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def wait_for(what, question, seconds=30):
    end = time.monotonic() + seconds
    answer = None
    while time.monotonic() < end:
        answer = question()
        if answer:
            break
        time.sleep(0.1)
    check(what, bool(answer), f"still not after {seconds} s")
    return answer


# --- rows ---------------------------------------------------------------------------------------

def walk_usage(home):
    row("--help", 0, "--help", out="timeline")
    row("--version", 0, "--version", out=r"^parley \d")
    row("help of a command", 0, "post", "--help", out="--ndjson")
    row("no command", 2)
    row("an unknown command", 2, "shout")
    row("an unknown option", 2, "--loud", "id")
    row("an unknown option of a command", 2, "id", "--loud", home=home)
    row("too many arguments", 2, "id", "more", home=home)
    row("too few arguments", 2, "follow", home=home)
    row("a limit that is no number", 2, "timeline", "--limit", "ten", home=home)
    row("post without a text", 2, "post", home=home)


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


def walk_posts(home, author):
    first = row("post", 0, "post", "Hello, parley", "--tag", "one", "--tag", "two", home=home,
                out=r"^post1[a-z0-9]+\n$").strip()
    answer = row("post --reply", 0, "post", "--reply", first, "an answer", home=home).strip()
    quote = row("post --quote, by handle", 0, "post", "--quote", author + "/1", "a quote",
                home=home).strip()
    row("post -", 0, "post", "-", stdin=b"from standard input", home=home)
    row("post -- -dash", 0, "post", "--", "-dash", home=home)
    row("an empty text", 1, "post", "", home=home)
    row("an empty input", 1, "post", "-", home=home)
    row("a text that is not UTF-8", 1, "post", "-", stdin=b"\xff\xfe", home=home)
    row("a text that is too long", 1, "post", "-", stdin=b"x" * 70000, home=home)
    row("a reply to nothing", 1, "post", "--reply", author + "/4000", "x", home=home)
    row("a tag that is too long", 1, "post", "--tag", "t" * 65, "x", home=home)
    shown = json.loads(row("show --json", 0, "show", answer, "--json", home=home))
    check("a reply names parent and root", shown["reply_to"] == first and shown["root"] == first, shown)
    check("a post has every field", all(k in shown for k in (
        "post", "author", "device", "log", "seq", "id", "time", "received", "kind", "text", "tags",
        "reply_to", "root", "verified")) and shown["verified"] is True and shown["kind"] == "post", shown)
    shown = json.loads(row("show a quote", 0, "show", quote, "--json", home=home))
    check("a quote names what it quotes", shown["quote"] == first, shown)
    row("show by handle", 0, "show", author + "/1/1", home=home, out="Hello, parley")
    row("show by a beginning", 0, "show", author[:14] + "/1", home=home, out="Hello, parley")
    row("show by the handle that is printed", 0, "show", shown["handle"], home=home, out="a quote")
    row("show what is not here", 1, "show", author + "/99", home=home)
    row("show what is no post", 1, "show", "post1zzzz", home=home)
    row("show with a wrong letter", 1, "show", first[:-1] + ("q" if first[-1] != "q" else "p"), home=home)
    return first


def walk_ndjson(home):
    posts = [{"text": f"line {i}", "time": 1600000000000 + i, "tags": ["many"], "x": 1}
             for i in range(1200)]
    feed = "".join(json.dumps(p) + "\n" for p in posts).encode()
    made = row("post --ndjson", 0, "post", "--ndjson", stdin=feed, home=home).split()
    check("one address a line", len(made) == 1200 and len(set(made)) == 1200, len(made))
    got = lines(row("timeline --tag", 0, "timeline", "--tag", "many", "--limit", "0", "--json", home=home))
    check("times are kept, newest first", [p["time"] for p in got]
          == [p["time"] for p in reversed(posts)], len(got))
    bad = b'{"text":"good"}\n{"text":""}\n{"text":"never"}\n'
    done = parley("post", "--ndjson", stdin=bad, home=home)
    check("a bad line is named and ends it", done.returncode == 1
          and len(done.stdout.split()) == 1 and b"line 2" in done.stderr, done)
    done = parley("post", "--ndjson", stdin=b'{"text":"good"}\nnot json\n', home=home)
    check("a line that is no JSON is named", done.returncode == 1 and b"line 2" in done.stderr, done)
    row("no line at all", 0, "post", "--ndjson", home=home)


def walk_timeline(home, author, first):
    newest = lines(row("timeline", 0, "timeline", "--json", home=home))
    check("50 by default", len(newest) == 50, len(newest))
    check("newest first", newest[0]["time"] >= newest[-1]["time"])
    row("timeline in words", 0, "timeline", "--limit", "3", home=home, out="parley1")
    three = lines(row("--limit", 0, "timeline", "--limit", "3", "--json", home=home))
    rest = lines(row("--before POST", 0, "timeline", "--before", three[-1]["post"], "--limit", "47",
                     "--json", home=home))
    check("pages meet", [p["id"] for p in three + rest] == [p["id"] for p in newest])
    old = lines(row("--before TIME", 0, "timeline", "--before", "1600000000005", "--json", home=home))
    check("older than a time", [p["time"] for p in old] == [1600000000000 + i for i in (4, 3, 2, 1, 0)])
    mine = lines(row("--author", 0, "timeline", "--author", author[:20], "--tag", "one", "--json", home=home))
    check("author and tag", [p["post"] for p in mine] == [first], mine)
    row("--before what is not here", 1, "timeline", "--before", author + "/9999", home=home)
    row("an author who is not known", 1, "timeline", "--author", "nobody", home=home)


def walk_people(home, other):
    row("follow", 0, "follow", other, home=home)
    row("follow again", 0, "follow", other, home=home)
    got = lines(row("follows", 0, "follows", "--json", home=home))
    check("follows lists", [f["author"] for f in got] == [other] and got[0]["private"] is False, got)
    row("follows in words", 0, "follows", home=home, out=other)
    row("unfollow", 0, "unfollow", other, home=home)
    row("unfollow again", 1, "unfollow", other, home=home)
    check("follows no more", row("follows", 0, "follows", home=home) == "")
    row("follow --private", 0, "follow", "--private", other, home=home)
    got = lines(row("follows", 0, "follows", "--json", home=home))
    check("a private follow is private", got and got[0]["private"] is True, got)
    row("unfollow a private one", 0, "unfollow", other, home=home)
    row("follow with a wrong letter", 1, "follow", other[:-1] + ("q" if other[-1] != "q" else "p"), home=home)
    row("follow a wrong address", 1, "follow", other, "nowhere", home=home)


def walk_bundles(home, author, scratch):
    path = os.path.join(scratch, "one.bundle")
    done = parley("export", home=home)
    open(path, "wb").write(done.stdout)
    check("export", done.returncode == 0 and done.stdout.startswith(b"parley1\n"), done.stderr)
    row("verify", 0, "verify", path, out="^good: [0-9]+ entries")
    row("verify -", 0, "verify", "-", stdin=done.stdout)
    verdict = json.loads(row("verify --json", 0, "verify", "--json", path))
    check("verify counts", verdict["valid"] is True and verdict["entries"] > 1200, verdict)
    again = parley("export", "--author", author, home=home)
    check("export --author is the same", again.stdout == done.stdout)
    row("export of a stranger", 1, "export", "--author", "parley1nobody", home=home)
    row("verify what is not there", 4, "verify", os.path.join(scratch, "none"))
    damaged = bytearray(done.stdout)
    damaged[len(damaged) // 2] ^= 1
    row("verify one flipped bit", 1, "verify", "-", stdin=bytes(damaged))
    row("verify a cut", 1, "verify", "-", stdin=done.stdout[:-10])
    row("verify a byte too many", 1, "verify", "-", stdin=done.stdout + b"x")
    row("verify nothing", 1, "verify", "-")
    reader = os.path.join(scratch, "importer")
    row("init of a reader", 0, "init", "--json", home=reader)
    taken = json.loads(row("import", 0, "import", "--json", path, home=reader))
    check("import counts", taken["added"] == verdict["entries"], taken)
    taken = json.loads(row("import again", 0, "import", "--json", path, home=reader))
    check("nothing is new twice", taken["added"] == 0, taken)
    mine = row("digest", 0, "digest", author, home=home)
    check("digests agree", mine == row("digest", 0, "digest", author, home=reader)
          and re.fullmatch(r"[0-9a-f]{64}\n", mine), mine)
    cutter = os.path.join(scratch, "cutter")
    row("init of another reader", 0, "init", "--json", home=cutter)
    row("import what is damaged", 1, "import", "-", stdin=bytes(damaged), home=cutter)
    row("import what is cut", 1, "import", "-", stdin=done.stdout[:-10], home=cutter)


def walk_naughty(home):
    naughty = json.load(open(os.path.join(SOURCE, "tests/data/naughty-strings.json"), encoding="utf-8"))
    texts = [t for t in naughty if t != ""]
    feed = "".join(json.dumps({"text": t, "tags": ["naughty"]}) + "\n" for t in texts).encode()
    row("naughty strings by --ndjson", 0, "post", "--ndjson", stdin=feed, home=home)
    got = lines(row("naughty strings back", 0, "timeline", "--tag", "naughty", "--limit", "0", "--json", home=home))
    check("equal by --ndjson", sorted(p["text"] for p in got) == sorted(texts))
    by_argument, by_input = [], []
    for text in texts:
        if "\x00" not in text and len(text) < 100000 and text != "-":
            by_argument.append((text, parley("post", "--json", "--tag", "naughty", "--", text, home=home)))
        by_input.append((text, parley("post", "--json", "--tag", "naughty", "-", stdin=text.encode(), home=home)))
    check("each is taken", all(d.returncode == 0 for _, d in by_argument + by_input),
          [(t, d.stderr) for t, d in by_argument + by_input if d.returncode != 0][:3])
    got = {p["post"]: p["text"] for p in lines(row("all back", 0, "timeline", "--tag", "naughty",
                                                   "--limit", "0", "--json", home=home))}
    for name, made in (("post --", by_argument), ("post -", by_input)):
        wrong = [t for t, d in made if got.get(json.loads(d.stdout or b"{}").get("post")) != t]
        check(f"equal by {name}", not wrong, wrong[:3])
    done = parley("timeline", "--tag", "naughty", "--limit", "0", home=home)
    text = done.stdout.decode("utf-8")
    check("words hold no control and no bidirectional control", not FORBIDDEN.search(text),
          repr(FORBIDDEN.findall(text)[:5]))
    text = parley("timeline", "--tag", "naughty", "--limit", "0", "--json", home=home).stdout.decode("utf-8")
    check("nor does JSON", not FORBIDDEN.search(text), repr(FORBIDDEN.findall(text)[:5]))


def walk_no_node(home):
    for words in (["peers"], ["connect", "pnode1x@127.0.0.1:1"], ["disconnect", "pnode1x"],
                  ["timeline", "--follow"]):
        row(" ".join(words) + " without a node", 3, *words, home=home)
    status = json.loads(row("status without a node", 0, "status", "--json", home=home))
    check("status has every field", all(k in status for k in (
        "author", "device", "node_key", "listen", "api", "peers", "logs", "entries", "authors",
        "store_bytes", "quota_bytes", "digest", "digest_bodies", "writable", "state", "uptime_ms",
        "rss_bytes")), status)
    row("status in words", 0, "status", home=home, out="node_key")


def walk_with_node(home, relay_home, scratch, author):
    relay = Node(relay_home, "--relay")
    node = Node(home)
    sock = os.path.join(home, "api.sock")
    check("the socket is 0600", stat.S_IMODE(os.stat(sock).st_mode) == 0o600)
    row("connect", 0, "connect", relay.address, home=home)
    key = relay.address.split("@")[0]
    wait_for("peers lists the relay", lambda: key in parley("peers", "--json", home=home).stdout.decode())
    row("peers in words", 0, "peers", home=home, out=key)
    follower = subprocess.Popen([PARLEY, "--home", home, "timeline", "--follow", "--json",
                                 "--author", author[:20]],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    time.sleep(0.7)
    made = row("post with a node", 0, "post", "live", home=home).strip()
    line = json.loads(follower.stdout.readline())
    check("timeline --follow prints it", line["post"] == made and line["text"] == "live", line)
    mine = row("digest with a node", 0, "digest", author, home=home)
    wait_for("the relay holds the same",
             lambda: parley("digest", author, home=relay_home).stdout.decode() == mine)
    got = lines(row("a relay's timeline shows all", 0, "timeline", "--limit", "1", "--json", home=relay_home))
    check("with the newest post", got and got[0]["post"] == made, got)
    row("disconnect", 0, "disconnect", key, home=home)
    row("disconnect a stranger", 1, "disconnect", "pnode1x", home=home)
    row("connect to no address", 1, "connect", "nowhere", home=home)
    walk_people(home, json.loads(parley("init", "--json", home=os.path.join(scratch, "third")).stdout)["author"])
    walk_guard(home, scratch)
    check("SIGTERM stops it", node.stop() == 0)
    check("the socket is gone", not os.path.exists(sock))
    follower.wait(30)
    check("timeline --follow ends with its node", follower.returncode == 3, follower.returncode)
    row("the home works again", 0, "show", made, home=home, out="live")
    check("SIGTERM stops the relay", relay.stop() == 0)


def curl(*arguments):
    done = subprocess.run(["curl", "-s", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}"] + list(arguments),
                          capture_output=True)
    return done.stdout.decode()


def walk_guard(home, scratch):
    """The API's own answers, on the socket."""
    base = ["--unix-socket", os.path.join(home, "api.sock")]
    big = os.path.join(scratch, "big")
    open(big, "wb").write(b"x" * 1500000)
    rows = [
        ("a path that is not there", "404", ["http://p/v1/none"]),
        ("a method that is not there", "405", ["-X", "DELETE", "http://p/v1/posts"]),
        ("a form", "415", ["-d", "text=x", "http://p/v1/posts"]),
        ("no JSON", "400", ["-H", "Content-Type: application/json", "-d", "{", "http://p/v1/posts"]),
        ("a key twice", "400", ["-H", "Content-Type: application/json", "-d", '{"text":"a","text":"b"}', "http://p/v1/posts"]),
        ("no text", "400", ["-H", "Content-Type: application/json", "-d", "{}", "http://p/v1/posts"]),
        ("a body that is too large", "413", ["-H", "Content-Type: application/json", "-H", "Expect:",
                                             "--data-binary", "@" + big, "http://p/v1/posts"]),
        ("a limit of 0", "400", ["http://p/v1/timeline?limit=0"]),
        ("a negative limit", "400", ["http://p/v1/timeline?limit=-1"]),
        ("a cursor of one's own making", "400", ["http://p/v1/export?cursor=zz&author=" + json.loads(
            parley("id", "--json", home=home).stdout)["author"]]),
        ("import of rubbish", "200", ["-H", "Content-Type: application/octet-stream", "-d", "rubbish",
                                      "http://p/v1/import"]),
        ("a good one", "200", ["http://p/v1/status"]),
    ]
    for what, want, arguments in rows:
        got = curl(*base, *arguments)
        check(f"API: {what} -> {want}", got == want, got)


def walk_tcp(scratch):
    home = os.path.join(scratch, "tcp")
    row("init for TCP", 0, "init", "--json", home=home)
    node = Node(home, "--api", "127.0.0.1:0")
    url = json.loads(parley("status", "--json", home=home).stdout)["api"]
    token = open(os.path.join(home, "api.token")).read().strip()
    check("api.token is 0600", stat.S_IMODE(os.stat(os.path.join(home, "api.token")).st_mode) == 0o600)
    bear = ["-H", "Authorization: Bearer " + token]
    rows = [
        ("without the token", "401", []),
        ("with another", "401", ["-H", "Authorization: Bearer no"]),
        ("with it", "200", bear),
        ("for another host", "403", bear + ["-H", "Host: example.com"]),
        ("from a page of another origin", "403", bear + ["-H", "Origin: http://example.com"]),
        ("from its own page", "200", bear + ["-H", "Origin: " + url]),
    ]
    for what, want, arguments in rows:
        got = curl(*arguments, url + "/v1/status")
        check(f"TCP: {what} -> {want}", got == want, got)
    check("the node stops", node.stop() == 0)


def walk_kill(scratch):
    """A node that died without a word leaves its socket behind."""
    home = os.path.join(scratch, "killed")
    row("init with a name", 0, "init", "--json", "--name", "Ada L.", home=home)
    node = Node(home)
    row("a person by name", 0, "timeline", "--author", "Ada L.", "--json", home=home)
    row("init while a node runs", 4, "init", home=home)
    second = subprocess.run([PARLEYD, "--home", home, "--listen", "127.0.0.1:0"], capture_output=True, timeout=30)
    check("a second node on one home is refused", second.returncode != 0
          and second.stderr.count(b"\n") == 1, second)
    node.process.kill()
    node.process.wait()
    check("its socket is still there", os.path.exists(os.path.join(home, "api.sock")))
    row("the home works without it", 0, "post", "after", home=home)
    node = Node(home)
    row("and with another", 0, "timeline", "--limit", "1", home=home, out="after")
    row("by name again", 0, "show", "Ada L./2", home=home, out="after")
    check("the node stops", node.stop() == 0)


def walk_trouble(scratch):
    """Homes that cannot work: one line, the right status."""
    file = os.path.join(scratch, "file")
    open(file, "w").write("x")
    row("a home that is a file", 4, "init", home=file)
    row("a home under a file", 4, "init", home=os.path.join(file, "home"))
    row("verify a folder", 4, "verify", scratch)
    home = os.path.join(scratch, "open")
    row("init", 0, "init", "--json", home=home)
    os.chmod(os.path.join(home, "device.key"), 0o644)
    row("a key file that others may read", 1, "id", home=home)
    os.chmod(os.path.join(home, "device.key"), 0o600)
    row("and closed again", 0, "id", home=home)
    text = open(os.path.join(home, "device.key")).read()
    open(os.path.join(home, "device.key"), "w").write(text.replace(text[40], "#", 1))
    row("a key file that is damaged", 4, "id", home=home)
    if os.path.exists("/dev/full"):
        done = subprocess.run([PARLEY, "--help"], stdout=open("/dev/full", "w"), stderr=subprocess.PIPE)
        check("standard output that is full -> 4", done.returncode == 4, done)


def walk_full_disk(scratch):
    """On a small disk of its own, where one may be mounted: read-only while it is full, and by
    itself writable again when there is space."""
    disk = os.path.join(scratch, "disk")
    os.mkdir(disk)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True)
    if mounted.returncode != 0:
        return
    try:
        home = os.path.join(disk, "home")
        row("init on a small disk", 0, "init", "--json", home=home)
        node = Node(home)
        feed = "".join(json.dumps({"text": "x" * 30000 + str(i)}) + "\n" for i in range(200)).encode()
        done = parley("post", "--ndjson", stdin=feed, home=home)
        made = done.stdout.split()
        check("a full disk is said -> 4", done.returncode == 4 and b"disk is full" in done.stderr
              and 0 < len(made) < 200, done.stderr)
        row("post on a full disk", 4, "post", "more", home=home)
        row("what is there can be read", 0, "show", made[-1].decode(), home=home, out="xxx")
        status = json.loads(row("status on a full disk", 0, "status", "--json", home=home))
        check("it is read-only", status["writable"] is False and status["state"] == "disk_full", status)
        subprocess.run(["mount", "-o", "remount,size=30m", disk], check=True)
        wait_for("writable again by itself", lambda: parley("post", "more", home=home).returncode == 0)
        got = lines(row("all is there", 0, "timeline", "--limit", "0", "--json", home=home))
        check("nothing acknowledged is lost", set(made) <= {p["post"].encode() for p in got}, len(got))
        check("the node stops", node.stop() == 0)
    finally:
        subprocess.run(["umount", disk])


def walk_long_path(scratch):
    home = os.path.join(scratch, "d" * 90, "e" * 90)
    os.makedirs(home, 0o700)
    row("init under a long path", 0, "init", "--json", home=home)
    node = Node(home)
    row("a socket under a long path", 0, "post", "far down", home=home)
    row("status under a long path", 0, "status", "--json", home=home, out=r'"uptime_ms":')
    check("the node stops", node.stop() == 0)


def main():
    with tempfile.TemporaryDirectory(prefix="parley-cli-") as scratch:
        os.environ["XDG_STATE_HOME"] = os.path.join(scratch, "state")
        home, relay_home = os.path.join(scratch, "home"), os.path.join(scratch, "relay")
        walk_usage(home)
        author = walk_init(home, relay_home)
        first = walk_posts(home, author)
        walk_ndjson(home)
        walk_timeline(home, author, first)
        other = json.loads(parley("init", "--json", home=os.path.join(scratch, "other")).stdout)["author"]
        walk_people(home, other)
        walk_bundles(home, author, scratch)
        walk_no_node(home)
        walk_with_node(home, relay_home, scratch, author)
        walk_tcp(scratch)
        walk_kill(scratch)
        walk_trouble(scratch)
        walk_full_disk(scratch)
        walk_long_path(scratch)
        naughty_home = os.path.join(scratch, "naughty")
        row("init for naughty strings", 0, "init", "--json", home=naughty_home)
        node = Node(naughty_home)
        walk_naughty(naughty_home)
        check("the node stops", node.stop() == 0)
    print(f"1..{COUNT}")
    if FAILED:
        raise SystemExit(f"{len(FAILED)} of {COUNT} failed: " + "; ".join(FAILED[:20]))


main()
