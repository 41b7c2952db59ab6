"""The API by itself, on its socket and on TCP."""
import json
import os
import stat
import subprocess

from .ledger import check, parley, row, started


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
    node = started(home, "--api", "127.0.0.1:0")
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
    link = row("open", 0, "open", "--json", home=home, out=r"/#open=[0-9a-f]{32}")
    check("each link is another", link != row("open again", 0, "open", "--json", home=home))
    check("the node stops", node.end() == 0)
    node = started(home, "--api", "no")
    check("no address is told", json.loads(parley("status", "--json", home=home).stdout)["api"] is None)
    row("open where no page is served", 1, "open", home=home, error="--api no")
    check("the node stops", node.end() == 0)
