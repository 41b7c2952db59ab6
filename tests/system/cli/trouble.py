"""Homes that cannot work: one line each, the right status, and nothing lost."""
import json
import os
import subprocess

from .ledger import PARLEY, PARLEYD, check, lines, parley, row, started, wait_for


def walk_kill(scratch):
    """A node that died without a word leaves its socket behind."""
    home = os.path.join(scratch, "killed")
    row("init with a name", 0, "init", "--json", "--name", "Ada L.", home=home)
    node = started(home)
    row("a person by name", 0, "timeline", "--author", "Ada L.", "--json", home=home)
    row("init while a node runs", 4, "init", home=home)
    second = subprocess.run([PARLEYD, "--home", home, "--listen", "127.0.0.1:0"], capture_output=True, timeout=30)
    check("a second node on one home is refused", second.returncode != 0
          and second.stderr.count(b"\n") == 1, second)
    node.process.kill()
    node.process.wait()
    check("its socket is still there", os.path.exists(os.path.join(home, "api.sock")))
    row("the home works without it", 0, "post", "after", home=home)
    node = started(home)
    row("and with another", 0, "timeline", "--limit", "1", home=home, out="after")
    row("by name again", 0, "show", "Ada L./2", home=home, out="after")
    check("the node stops", node.end() == 0)


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
        node = started(home)
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
        check("the node stops", node.end() == 0)
    finally:
        subprocess.run(["umount", disk])


def walk_long_path(scratch):
    home = os.path.join(scratch, "d" * 90, "e" * 90)
    os.makedirs(home, 0o700)
    row("init under a long path", 0, "init", "--json", home=home)
    node = started(home)
    row("a socket under a long path", 0, "post", "far down", home=home)
    row("status under a long path", 0, "status", "--json", home=home, out=r'"uptime_ms":')
    check("the node stops", node.end() == 0)
