"""What is said of posts: profile, thread, echo, vote; taken back: erase; dropped here: purge."""
import json
import os
import re

from .ledger import check, lines, parley, row, started, wait_for
from .naughty import FORBIDDEN

NAME = "Eve\x1b[31m\n\u202eparley1"


def walk_profile(home, author, other):
    row("profile before there is one", 1, "profile", home=home, error="no profile")
    row("profile set about alone, without a name", 1, "profile", "set", "--about", "x", home=home)
    row("profile set of nothing", 2, "profile", "set", home=home)
    row("profile with an option of set", 2, "profile", "--name", "x", home=home)
    row("profile set of an empty name", 1, "profile", "set", "--name", "", home=home)
    row("profile set of a long name", 1, "profile", "set", "--name", "n" * 257, home=home)
    row("profile set", 0, "profile", "set", "--name", NAME, "--about", "some\nwords", home=home,
        out=r"^post1[a-z0-9]+\n$")
    row("profile", 0, "profile", home=home, out="some\n    words")
    got = json.loads(row("profile --json", 0, "profile", "--json", home=home))
    check("a profile is what was set", got["author"] == author and got["name"] == NAME
          and got["about"] == "some\nwords", got)
    row("profile set about", 0, "profile", "set", "--about", "others", home=home)
    got = json.loads(row("profile AUTHOR", 0, "profile", author, "--json", home=home))
    check("what is not said stays", got["name"] == NAME and got["about"] == "others", got)
    row("profile of a stranger", 1, "profile", other, home=home)
    row("profile of no author", 1, "profile", "nobody", home=home)
    text = parley("timeline", "--limit", "3", home=home).stdout.decode()
    check("a name is beside the key, escaped, on its line",
          re.search(r"^Eve\\u001b\[31m\\n\\u202eparley1  " + author, text, re.M)
          and not FORBIDDEN.search(text), text)


def walk_thread(home, author):
    root = row("a first post", 0, "post", "first", home=home).strip()
    one = row("an answer", 0, "post", "--reply", root, "one", home=home).strip()
    two = row("another", 0, "post", "--reply", root, "two", home=home).strip()
    deep = row("an answer to the answer", 0, "post", "--reply", one, "deep", home=home).strip()
    text = row("thread", 0, "thread", deep, home=home)
    places = [(len(m.group(1)), m.group(2)) for m in re.finditer(r"^( +)(first|one|two|deep)$", text, re.M)]
    check("a tree: answers below what they answer",
          places == [(4, "first"), (8, "one"), (12, "deep"), (8, "two")], text)
    got = lines(row("thread --json", 0, "thread", two, "--json", home=home))
    check("first the root, then in the order of time",
          [p["post"] for p in got] == [root, one, two, deep], got)
    check("all parents are here", [p["parent_here"] for p in got] == [None, True, True, True], got)
    got = lines(row("thread --limit", 0, "thread", root, "--limit", "2", "--json", home=home))
    check("a part of a thread", [p["post"] for p in got][:2] == [root, one], got)
    row("thread of what is not here", 1, "thread", author + "/9999", home=home)
    row("thread with a limit that is no number", 2, "thread", root, "--limit", "x", home=home)
    return root, one, two, deep


def walk_long_thread(home):
    root = row("the root of many", 0, "post", "many answers", home=home).strip()
    for i in range(3):
        parley("post", "--reply", root, f"answer {i}", home=home)
    got = lines(row("all of a thread", 0, "thread", root, "--limit", "0", "--json", home=home))
    check("each once", len(got) == 4 and len({p["post"] for p in got}) == 4, got)


def walk_votes(home, post):
    def votes():
        shown = json.loads(parley("show", post, "--json", home=home).stdout)["votes"]
        return shown["up"], shown["down"], shown["mine"]
    check("no votes yet", votes() == (0, 0, 0))
    for word, want in (("up", (1, 0, 1)), ("down", (0, 1, -1)), ("none", (0, 0, 0)), ("up", (1, 0, 1))):
        row("vote " + word, 0, "vote", post, word, home=home, out=r"^post1[a-z0-9]+\n$")
        check("the newest vote counts: " + word, votes() == want, votes())
    row("votes are shown", 0, "show", post, home=home, out=r"\+1 -0")
    row("vote for what is not here", 1, "vote", post[:-3] + "qqq", "up", home=home)
    row("vote sideways", 2, "vote", post, "sideways", home=home)
    made = json.loads(row("vote --json", 0, "vote", post, "up", "--json", home=home))
    row("vote for a vote", 1, "vote", made["post"], "up", home=home, error="no post")
    check("vote --json names what it means", made["ref"] == post, made)


def walk_echo(home, author, post):
    made = row("echo", 0, "echo", post, home=home, out=r"^post1[a-z0-9]+\n$").strip()
    row("echo with a text", 0, "echo", post, "hear this", "--json", home=home, out='"ref":"' + post)
    got = lines(row("echoes in the timeline", 0, "timeline", "--limit", "2", "--json", home=home))
    check("an echo tells of whom and what", [p["kind"] for p in got] == ["echo", "echo"]
          and all(p["echo_of"] == post and p["echoed"]["author"] == author
                  and p["echoed"]["text"] == "first" for p in got)
          and [p["text"] for p in got] == ["hear this", None], got)
    check("an echo has the keys of a post", all(p["tags"] == [] and p["reply_to"] is None and p["root"] is None
                                                for p in got), got)
    row("an echo in words", 0, "show", made, home=home, out=r"passes on " + post + r".*\n +first\n")
    row("echo of what is not here", 1, "echo", author + "/9999", home=home)
    row("echo of nothing", 2, "echo", home=home)
    return made


def walk_erase(home, author, other_home, thread, echo):
    root, one, two, deep = thread
    digest = json.loads(parley("digest", "--json", home=home).stdout)
    made = json.loads(row("erase", 0, "erase", one, "--json", home=home))
    check("erase names what it erases", made["ref"] == one, made)
    row("erase again", 1, "erase", one, home=home, error="erased")
    row("an erasure stays", 1, "erase", made["post"], home=home)
    row("erase what is not here", 1, "erase", author + "/9999", home=home)
    shown = json.loads(row("show what was erased", 0, "show", one, "--json", home=home))
    check("it says so, without words", shown["kind"] == "erased" and shown["text"] is None, shown)
    row("in words, too", 0, "show", one, home=home, out=r"\(erased\)")
    got = lines(row("a thread with a gap", 0, "thread", root, "--json", home=home))
    check("it keeps its place", [(p["post"], p["kind"]) for p in got] == [
        (root, "post"), (two, "post"), (one, "erased"), (deep, "post")], got)
    posts = lines(row("a timeline without it", 0, "timeline", "--limit", "0", "--json", home=home))
    check("what was erased is not listed", one not in {p["post"] for p in posts})
    row("vote for what was erased", 1, "vote", one, "up", home=home)
    after = json.loads(parley("digest", "--json", home=home).stdout)
    check("another digest with the erasure", after["digest"] != digest["digest"]
          and after["digest_bodies"] != digest["digest_bodies"], after)
    bundle = parley("export", home=home).stdout
    row("the bundle verifies", 0, "verify", "-", stdin=bundle)
    check("and has the words no more", b"one" not in bundle.split(b"first", 1)[1][:2000])
    row("a reader imports it", 0, "import", "-", stdin=bundle, home=other_home)
    row("erased there, too", 0, "show", one, home=other_home, out=r"\(erased\)")
    check("and both hold the same", parley("digest", author, "--json", home=other_home).stdout
          == parley("digest", author, "--json", home=home).stdout)
    row("erase what another wrote", 1, "erase", two, home=other_home, error="not yours")
    row("an echo of what is there", 0, "show", echo, home=other_home, out="first")
    row("erase the echoed one", 0, "erase", root, home=home)
    gone = json.loads(row("show what is gone", 0, "show", root, "--json", home=home))
    check("it has the keys of a post", gone["text"] is None and gone["tags"] == []
          and gone["reply_to"] is None and gone["root"] is None, gone)
    row("an echo of what is gone", 0, "show", echo, home=home, out=r"\(erased\)")
    row("erase needs a post", 2, "erase", home=home)
    return bundle


def walk_purge(home, author, other_home, post, bundle):
    before = json.loads(parley("digest", author, "--json", home=other_home).stdout)
    row("purge", 0, "purge", post, home=other_home)
    shown = json.loads(row("show what was purged", 0, "show", post, "--json", home=other_home))
    check("it says so", shown["kind"] == "purged" and shown["text"] is None, shown)
    row("import it again", 0, "import", "-", stdin=bundle, home=other_home)
    row("it stays out", 0, "show", post, home=other_home, out=r"\(purged\)")
    after = json.loads(parley("digest", author, "--json", home=other_home).stdout)
    check("only the digest of bodies has changed", after["digest"] == before["digest"]
          and after["digest_bodies"] != before["digest_bodies"], after)
    row("elsewhere it is as before", 0, "show", post, home=home, out="two")
    row("purge one's own", 1, "purge", post, home=home, error="--force")
    row("purge --force one's own", 0, "purge", "--force", post, home=home)
    row("purge a person", 0, "purge", author, home=other_home, out=r": [0-9]+\n$")
    got = lines(row("nothing of them is listed", 0, "timeline", "--author", author, "--json",
                    home=other_home))
    check("no words are left", got == [], got[:1])
    row("the person may come again", 0, "import", "-", stdin=bundle, home=other_home)
    row("and stays out", 0, "timeline", "--author", author, home=other_home, out="^$")
    row("purge a stranger", 1, "purge", "nobody", home=other_home)
    row("purge what is not here", 1, "purge", author + "/9999", home=other_home)
    row("purge needs one", 2, "purge", home=other_home)


def walk_saying(home, author, other_home, other):
    walk_profile(home, author, other)
    thread = walk_thread(home, author)
    walk_long_thread(home)
    walk_votes(home, thread[0])
    echo = walk_echo(home, author, thread[0])
    bundle = walk_erase(home, author, other_home, thread, echo)
    walk_purge(home, author, other_home, thread[2], bundle)


def walk_missing_parts(scratch):
    """A reader who holds answers without what they answer is told so."""
    writer, answerer, reader = (os.path.join(scratch, name) for name in ("root-of", "answers", "reads"))
    for home in (writer, answerer, reader):
        row("init", 0, "init", "--json", home=home)
    root = row("the post that will be missing", 0, "post", "absent", home=writer).strip()
    row("it is known to who answers", 0, "import", "-", stdin=parley("export", home=writer).stdout, home=answerer)
    answer = row("an answer", 0, "post", "--reply", root, "present", home=answerer).strip()
    echo = row("an echo", 0, "echo", root, home=answerer).strip()
    row("the reader has the answer alone", 0, "import", "-", stdin=parley("export", home=answerer).stdout, home=reader)
    got = lines(row("thread without its root", 0, "thread", answer, "--json", home=reader))
    check("the missing root is named", got[0] == {"post": root, "kind": "missing"}
          and got[1]["post"] == answer and got[1]["parent_here"] is False, got)
    row("and said", 0, "thread", answer, home=reader, out=r"not here: " + root + r".*what this answers is not here")
    row("an echo of what is not here is shown", 0, "show", echo, home=reader, out="it is not here")


def walk_erase_with_nodes(scratch):
    """Hidden at a reader's node as soon as the erasure comes; the bytes go when it is time."""
    writer, reader = os.path.join(scratch, "erases"), os.path.join(scratch, "obeys")
    author = json.loads(row("init", 0, "init", "--json", home=writer))["author"]
    row("init", 0, "init", "--json", home=reader)
    keeper = os.path.join(scratch, "waits")
    row("init", 0, "init", "--json", home=keeper)
    first = started(writer)
    second = started(reader, "--erase-after", "2s")
    third = started(keeper)
    row("follow", 0, "follow", author, first.address, home=keeper)
    row("follow", 0, "follow", author, first.address, home=reader)
    post = row("a post", 0, "post", "taken back soon", home=writer).strip()
    for home in (reader, keeper):
        wait_for("a reader has it", lambda: b"taken back soon" in parley("show", post, home=home).stdout)
    row("erase with a node", 0, "erase", post, home=writer)
    wait_for("it is hidden at the reader",
             lambda: b"(erased)" in parley("show", post, home=reader).stdout)
    mine = json.loads(parley("digest", author, "--json", home=writer).stdout)
    wait_for("its bytes go when it is time", lambda: json.loads(
        parley("digest", author, "--json", home=reader).stdout)["digest_bodies"] == mine["digest_bodies"])
    wait_for("and at the one who waits a week",
             lambda: b"(erased)" in parley("show", post, home=keeper).stdout)
    theirs = json.loads(parley("digest", author, "--json", home=keeper).stdout)
    check("the bytes wait there", theirs["digest"] == mine["digest"]
          and theirs["digest_bodies"] != mine["digest_bodies"], theirs)
    bundle = parley("export", "--author", author, home=keeper).stdout
    row("a bundle of theirs verifies", 0, "verify", "-", stdin=bundle)
    check("and has the header only", b"taken back soon" not in bundle)
    for words in (["profile", "set", "--name", "W"], ["vote", post, "none"]):
        parley(*words, home=writer)
    row("thread with a node", 0, "thread", post, home=writer, out="erased")
    row("profile with a node", 0, "profile", home=writer, out="^W ")
    row("purge with a node", 0, "purge", author, home=reader)
    check("the nodes stop", first.end() == 0 and second.end() == 0 and third.end() == 0)
