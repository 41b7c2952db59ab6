"""Standard input, output and error that are closed, full, or read no further; input without an end."""
import json
import os
import subprocess
import time

from .ledger import PARLEY, PARLEYD, check, is_one_line, parley, row, started


def shell(words, home):
    """With redirections; in a session of its own, so that no terminal is to be found."""
    return subprocess.run(f"exec '{PARLEY}' --home '{home}' {words}", shell=True, capture_output=True,
                          timeout=120, start_new_session=True)


def walk_closed(home):
    """A closed one is neither taken for a file of the home nor a reason to die."""
    for words, want in (("id >&-", 4), ("post lost >&-", 4), ("post - <&-", 4), ("import - <&-", 4),
                        ("id 2>&- >/dev/null", 0), ("post three <&- >&- 2>&-", 4)):
        done = shell(words, home)
        check(f"{words} -> {want}", done.returncode == want
              and ("2>&-" in words or is_one_line(done.stderr.decode()) or want == 0), done)
    node = subprocess.Popen(f"exec '{PARLEYD}' --home '{home}' --listen 127.0.0.1:0 --api no <&- >&- 2>&-", shell=True)
    socket = os.path.join(home, "api.sock")
    for _ in range(600):
        if os.path.exists(socket):
            break
        time.sleep(0.05)
    row("a node with none of the three answers", 0, "post", "to a silent node", home=home)
    node.terminate()
    check("it stops", node.wait(60) == 0)
    row("nothing was written into the store", 0, "check", home=home)


def ended_by(words, home, read_lines, stdin=b""):
    """How a command ends whose output is read so far and no further."""
    with open(os.path.join(os.path.dirname(home), "feed"), "wb") as feed:
        feed.write(stdin)
    with open(feed.name, "rb") as source:
        process = subprocess.Popen([PARLEY, "--home", home, *words], stdin=source,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(read_lines):
            process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        return process.wait(60), errors


def entries(home):
    return json.loads(parley("status", "--json", home=home).stdout)["entries"]


def walk_unread(home):
    """Output that nobody has: the status says so, and publishing goes no further."""
    feed = "".join(json.dumps({"text": f"unread {i} " + "x" * 300}) + "\n" for i in range(3000)).encode()
    for words in ("timeline --limit 0", "timeline --limit 0 --json", "--help", "post --help", "--version"):
        done = shell(words + " >/dev/full", home)
        check(f"{words} >/dev/full -> 4", done.returncode == 4 and is_one_line(done.stderr.decode()), done)
    for words in (["timeline", "--limit", "0"], ["export"]):
        got = ended_by(words, home, 1)
        check(f"{words[0]} that is read no further ends in silence", got == (-13, b""), got)
    before = entries(home)
    status, errors = ended_by(["post", "--ndjson"], home, 1, feed)
    check("nobody reads the addresses: the rest is not published", status == -13 and errors == b""
          and before < entries(home) < before + 3000, (status, errors, entries(home) - before))
    done = subprocess.run(f"'{PARLEY}' --home '{home}' post --ndjson >/dev/full", shell=True, input=feed,
                          capture_output=True, timeout=120)
    check("addresses that cannot be written -> 4", done.returncode == 4
          and is_one_line(done.stderr.decode()), done)
    node = started(home)
    stream = subprocess.Popen(f"exec '{PARLEY}' --home '{home}' timeline --follow >/dev/full", shell=True,
                              stderr=subprocess.PIPE)
    while stream.poll() is None:
        parley("post", "heard", home=home)
    errors = stream.stderr.read().decode()
    stream.stderr.close()
    check("--follow that cannot be written -> 4", stream.returncode == 4 and is_one_line(errors), errors)
    check("the node stops", node.end() == 0)


def walk_endless(home):
    """A line that does not end is refused before it fills the memory."""
    # A sanitizer's shadow takes terabytes of addresses.
    limit = "" if "ASAN_OPTIONS" in os.environ else "ulimit -v 600000; "
    done = subprocess.run(f"(echo '{{\"text\":\"first\"}}'; tr '\\0' x </dev/zero) | ({limit}exec "
                          f"'{PARLEY}' --home '{home}' post --ndjson)", shell=True, capture_output=True,
                          timeout=120)
    check("a line without an end is named", done.returncode == 1 and b"line 2: longer" in done.stderr
          and done.stdout.count(b"\n") == 1, done)


def walk_unseen_words(scratch):
    """Words that could not be shown are said to be lost."""
    home = os.path.join(scratch, "unseen")
    for words in ("init >/dev/full", "init --json >/dev/full"):
        done = shell(words, home)
        check(f"{words} -> 4", done.returncode == 4 and is_one_line(done.stderr.decode())
              and b"recovery words" in done.stderr and home.encode() in done.stderr, done)
        subprocess.run(["rm", "-r", home], check=True)


def walk_streams(scratch):
    home = os.path.join(scratch, "streams")
    row("init", 0, "init", "--json", home=home)
    feed = "".join(json.dumps({"text": f"held {i} " + "y" * 100}) + "\n" for i in range(1200)).encode()
    row("some posts", 0, "post", "--ndjson", stdin=feed, home=home)
    walk_closed(home)
    walk_unread(home)
    walk_endless(home)
    walk_unseen_words(scratch)
