"""Posting and reading: post, show, timeline."""
import json

from .ledger import check, lines, parley, row


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
    for option in ("--tag", "--reply", "--quote"):
        row(f"{option} that is not UTF-8", 1, "post", option, b"\xff", "x", home=home, error="not UTF-8")
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
    for before in ("-1", "1.5", "9" * 17):
        row(f"--before {before}", 1, "timeline", "--before", before, home=home, error="milliseconds")
    row("--before nothing", 1, "timeline", "--before", "", home=home)
    huge = lines(row("a limit beyond all numbers", 0, "timeline", "--limit", "9" * 40, "--json", home=home))
    check("it is all", len(huge) > 1200, len(huge))
    row("the shortest beginning of an author", 0, "timeline", "--author", author[:8], "--limit", "1",
        home=home, out=author)
    row("no letter of an author", 1, "timeline", "--author", author[:7], home=home, error="author")
    row("--before what is not here", 1, "timeline", "--before", author + "/9999", home=home)
    row("an author who is not known", 1, "timeline", "--author", "nobody", home=home)
