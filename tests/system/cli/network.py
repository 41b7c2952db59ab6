"""With and without a node: connect, disconnect, peers, status, timeline --follow."""
import json
import os
import stat
import subprocess
import time

from .ledger import PARLEY, SEEN, check, lines, parley, row, started, wait_for
from .guard import walk_guard
from .people import walk_people

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
    relay = started(relay_home, "--relay")
    node = started(home)
    sock = os.path.join(home, "api.sock")
    check("the socket is 0600", stat.S_IMODE(os.stat(sock).st_mode) == 0o600)
    row("connect", 0, "connect", relay.address, home=home)
    row("connect to itself", 1, "connect", node.address, home=home, error="this node itself")
    row("show of an empty word", 1, "show", "", home=home, error="empty")
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
    row("disconnect whoever is not connected", 1, "disconnect", key, home=home, error="parley peers")
    row("disconnect a stranger", 1, "disconnect", "pnode1x", home=home)
    row("connect to no address", 1, "connect", "nowhere", home=home)
    walk_people(home, json.loads(parley("init", "--json", home=os.path.join(scratch, "third")).stdout)["author"])
    walk_guard(home, scratch)
    check("SIGTERM stops it", node.end() == 0)
    check("the socket is gone", not os.path.exists(sock))
    follower.wait(30)
    SEEN.add(("timeline", follower.returncode))
    check("timeline --follow ends with its node", follower.returncode == 3, follower.returncode)
    row("the home works again", 0, "show", made, home=home, out="live")
    check("SIGTERM stops the relay", relay.end() == 0)
