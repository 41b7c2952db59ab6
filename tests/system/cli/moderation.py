"""Muting, blocking, allowing, and why a post is shown or is not."""
import json
import os
import pathlib

from .ledger import check, lines, parley, row, started, wait_for


def texts(home, *words):
    return [p.get("text") for p in lines(parley(*words, "--json", home=home).stdout.decode())]


def why(home, post):
    return json.loads(row(f"why {post[:12]}", 0, "why", "--json", post, home=home))


def rules(got):
    return [reason["rule"] for reason in got["reasons"]]


def walk_lists(home, other):
    row("mute of nothing lists none", 0, "mute", "--json", home=home, out="^$")
    row("mute", 0, "mute", other, home=home, out="^mutes " + other)
    row("mute again", 0, "mute", "--json", other, home=home)
    row("mute a word", 0, "mute", "--word", "STRASSE", home=home, out="mutes word STRASSE")
    got = lines(row("mute lists", 0, "mute", "--json", home=home))
    check("authors, and words as they are compared", got == [
        {"list": "mute", "author": other}, {"list": "mute", "word": "strasse"}], got)
    row("mute of both", 2, "mute", other, "--word", "x", home=home)
    row("mute of an empty word", 1, "mute", "--word", "", home=home)
    for blank in (" ", "\t", "\u00a0\u2003\n"):
        row(f"mute of {blank!r}", 1, "mute", "--word", blank, home=home, error="spaces")
    row("mute of a sign", 0, "mute", "--word", "🎃", home=home)
    row("unmute a sign", 0, "unmute", "--word", "🎃", home=home)
    row("mute of a long word", 1, "mute", "--word", "w" * 129, home=home)
    row("unmute of nothing", 2, "unmute", home=home)
    row("unmute a word that is not muted", 1, "unmute", "--word", "none", home=home, error="list")
    row("unmute a word, written otherwise", 0, "unmute", "--word", "straße", home=home)
    row("unmute", 0, "unmute", other, home=home)
    row("unmute again", 1, "unmute", other, home=home)
    own = json.loads(parley("id", "--json", home=home).stdout)["author"]
    for command in ("mute", "block", "allow"):
        row(f"{command} oneself", 1, command, own, home=home, error="own name")
    row("block", 0, "block", other, home=home)
    row("block lists", 0, "block", home=home, out="^" + other + "\n$")
    row("follow whom one blocks", 1, "follow", other, home=home, error="blocked")
    row("unblock", 0, "unblock", other, home=home)
    row("unblock again", 1, "unblock", other, home=home)
    row("block nobody", 1, "block", "nobody", home=home)
    row("unblock nobody", 1, "unblock", "nobody", home=home)
    row("unallow what is not allowed", 1, "unallow", other, home=home)
    row("allow a post that is not here", 1, "allow", "post1qqqq", home=home)
    row("allow an author", 0, "allow", other, home=home)
    row("allow lists", 0, "allow", home=home, out=other)
    row("unallow an author", 0, "unallow", other, home=home)


def exchange(scratch, home, other_home):
    """The other's posts, brought here in a file."""
    file = os.path.join(scratch, "other.parley")
    with open(file, "wb") as out:
        parley("export", home=other_home, stdout=out)
    return row("import", 0, "import", file, home=home)


def walk_words(home, other_home, scratch):
    posts = {}
    for text in ("Grüße aus der Hauptstraße", "grüsse, STRASSE!", "Strassenbahn", "我喜欢垃圾邮件吗",
                 "nothing of it"):
        posts[text] = row("a post", 0, "post", text, home=other_home).strip()
    exchange(scratch, home, other_home)
    check("all are shown", set(posts) <= set(texts(home, "timeline")))
    row("mute a word", 0, "mute", "--word", "Straße", home=home)
    shown = texts(home, "timeline")
    check("a muted word hides whole words, whatever the case",
          "grüsse, STRASSE!" not in shown and "Strassenbahn" in shown
          and "Grüße aus der Hauptstraße" in shown, shown)
    row("mute a word of a script without spaces", 0, "mute", "--word", "垃圾", home=home)
    check("there it hides within", "我喜欢垃圾邮件吗" not in texts(home, "timeline"))
    hidden = posts["grüsse, STRASSE!"]
    row("show shows it", 0, "show", hidden, home=home, out="STRASSE")
    got = why(home, hidden)
    check("why names the word", got["state"] == "muted" and rules(got)[-1] == "word"
          and "strasse" in got["reasons"][-1]["words"]
          and got["reasons"][-1]["override"] == "parley allow " + hidden, got)
    row("why in words", 0, "why", hidden, home=home, out="^muted\n.*strasse")
    row("allow a post", 0, "allow", hidden, home=home)
    check("an allowed post is shown", "grüsse, STRASSE!" in texts(home, "timeline"))
    got = why(home, hidden)
    check("and why says so", got["state"] == "visible" and rules(got)[-1] == "allow", got)
    row("unallow a post", 0, "unallow", hidden, home=home)
    check("and hidden again", "grüsse, STRASSE!" not in texts(home, "timeline"))
    for word in ("straße", "垃圾"):
        row("unmute a word", 0, "unmute", "--word", word, home=home)
    return posts


def walk_muted(home, other_home, scratch, other, posts):
    """A muted author's post, one that answers it, and one that passes it on."""
    theirs = posts["nothing of it"]
    answer = row("answer", 0, "post", "--reply", theirs, "my answer", home=home).strip()
    row("echo", 0, "echo", theirs, home=home)
    row("mute the author", 0, "mute", other, home=home)
    shown = lines(parley("timeline", "--json", home=home).stdout.decode())
    check("a muted author is not in the timeline, nor passed on in it",
          not [p for p in shown if p["author"] == other or p.get("echoed")], shown)
    check("asked for by name they are", "nothing of it" in texts(home, "timeline", "--author", other))
    thread = lines(row("thread", 0, "thread", answer, "--json", home=home))
    check("in a thread stands who was muted, without the words",
          [(p["kind"], p["text"]) for p in thread] == [("muted", None), ("post", "my answer")], thread)
    row("the tree keeps its shape", 0, "thread", answer, home=home, out=r"\(muted\).*\n        my answer")
    row("show still shows", 0, "show", theirs, home=home, out="nothing of it")
    got = why(home, theirs)
    check("why: muted", got["state"] == "muted" and got["reasons"][-1]["override"] == "parley unmute "
          + other, got)
    row("rebuild", 0, "rebuild", home=home)
    row("mutes outlast a rebuild", 0, "mute", home=home, out=other)
    row("repair", 0, "repair", home=home)
    row("mutes outlast a repair", 0, "mute", home=home, out=other)
    row("unmute the author", 0, "unmute", other, home=home)
    check("and is there again", "nothing of it" in texts(home, "timeline"))
    return answer


def walk_votes_of_blocked(home, other_home, scratch, other):
    """How a blocked author votes counts no more than what they say."""
    mine = row("a post to be voted on", 0, "post", "judge me", home=home).strip()
    file = os.path.join(scratch, "mine.parley")
    with open(file, "wb") as out:
        parley("export", home=home, stdout=out)
    row("the other has it", 0, "import", file, home=other_home)
    row("and votes", 0, "vote", mine, "down", home=other_home)
    exchange(scratch, home, other_home)

    def votes():
        return json.loads(parley("show", mine, "--json", home=home).stdout)["votes"]["down"]
    check("the vote counts", votes() == 1, votes())
    row("block the voter", 0, "block", other, home=home)
    check("a blocked author's vote does not count", votes() == 0, votes())
    row("unblock the voter", 0, "unblock", other, home=home)
    check("and counts again", votes() == 1, votes())


def walk_blocked(home, other_home, scratch, other, posts, answer):
    theirs = posts["nothing of it"]
    row("block the author", 0, "block", other, home=home)
    shown = lines(parley("timeline", "--json", home=home).stdout.decode())
    check("who is blocked is not shown, nor passed on",
          not [p for p in shown if p["author"] == other or p.get("echoed")], shown)
    row("not by name either", 0, "timeline", "--author", other, home=home, out="^$")
    row("nor alone", 1, "show", theirs, home=home, error="block")
    row("nor as a thread", 1, "thread", theirs, home=home, error="block")
    row("a thread stays a thread", 0, "thread", answer, home=home, out=r"\(blocked\).*my answer")
    got = why(home, theirs)
    check("why: blocked", got["state"] == "blocked"
          and got["reasons"][0]["override"] == "parley unblock " + other, got)
    later = row("a later post", 0, "post", "after the block", home=other_home).strip()
    done = parley("import", os.path.join(scratch, "other.parley"), home=home)
    check("a stick brings nothing of who is blocked, and says so", done.returncode == 1
          and b"blocked" in done.stderr, done)
    row("allow one of them", 0, "allow", theirs, home=home)
    row("that one is shown", 0, "show", theirs, home=home, out="nothing of it")
    row("unallow it", 0, "unallow", theirs, home=home)
    row("unblock the author", 0, "unblock", other, home=home)
    exchange(scratch, home, other_home)
    row("what was missed comes", 0, "show", later, home=home, out="after the block")


def walk_states(home, other_home, scratch, own, other):
    post = row("a post of one's own", 0, "post", "mine", home=home).strip()
    got = why(home, post)
    check("why: my own", got["state"] == "visible" and rules(got) == ["own"], got)
    row("erase it", 0, "erase", post, home=home)
    got = why(home, post)
    check("why: erased, and by what", got["state"] == "erased" and "entry" in got["reasons"][-1]["words"], got)
    theirs = row("a post of theirs", 0, "post", "to be purged", home=other_home).strip()
    exchange(scratch, home, other_home)
    row("purge it", 0, "purge", theirs, home=home)
    got = why(home, theirs)
    check("why: purged", got["state"] == "purged", got)
    unseen = row("a post that is not here", 0, "post", "elsewhere", home=other_home).strip()
    got = why(home, unseen)
    check("why: missing, and nobody said that they have it", got["state"] == "missing"
          and rules(got)[-1] == "missing", got)
    nobody = os.path.join(scratch, "nobody")
    row("init of a stranger", 0, "init", "--json", home=nobody)
    strange = row("a post of a stranger", 0, "post", "who", home=nobody).strip()
    got = why(home, strange)
    check("why: a log that nobody knows", got["state"] == "unknown" and rules(got) == ["unknown_log"], got)
    row("why of a letter that is wrong", 1, "why", strange[:-1] + ("q" if strange[-1] != "q" else "p"),
        home=home)
    row("why of a person's post by its number", 0, "why", other + "/1", home=home)
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["mute", "--word", "w"], ["unmute", "--word", "w"], ["block", other],
                      ["unblock", other], ["allow", other], ["unallow", other], ["why", post]):
            row(f"{words[0]} to a full output", 4, *words, home=home, stdout=full)


def bytes_are_in(home, marker):
    return any(marker in path.read_bytes() for path in pathlib.Path(home).rglob("*")
               if path.is_file() and not path.is_socket())


def walk_gone(scratch):
    """Blocked and purged, an author's words are in no file any more."""
    home, other_home = os.path.join(scratch, "gone"), os.path.join(scratch, "gone-other")
    _, other = (json.loads(parley("init", "--json", home=h).stdout)["author"] for h in (home, other_home))
    marker = os.urandom(24).hex()
    for i in range(20):
        row("a post to be purged", 0, "post", f"{marker}-{i}", home=other_home)
    file = os.path.join(scratch, "gone.parley")
    with open(file, "wb") as out:
        parley("export", home=other_home, stdout=out)
    node = started(home)
    row("follow", 0, "follow", other, home=home)
    row("import", 0, "import", file, home=home)
    check("the words are in the files", bytes_are_in(home, marker.encode()))
    row("block", 0, "block", other, home=home)
    check("to block is not to drop", bytes_are_in(home, marker.encode()))
    row("purge", 0, "purge", other, home=home)
    wait_for("purged, no byte of them is in any file", lambda: not bytes_are_in(home, marker.encode()))
    check("the node stops", node.end() == 0)
    row("check finds all good", 0, "check", home=home)


def walk_parent(scratch):
    """A friend answers a stranger: what is answered comes along the way that brought the answer."""
    homes = [os.path.join(scratch, "parent-" + name) for name in ("reader", "friend", "stranger")]
    reader, friend, stranger = (json.loads(parley("init", "--json", home=h).stdout)["author"] for h in homes)
    posts = [row("a stranger's post", 0, "post", text, home=homes[2]).strip()
             for text in ("before it", "what is answered", "after it")]
    file = os.path.join(scratch, "stranger.parley")
    with open(file, "wb") as out:
        parley("export", home=homes[2], stdout=out)
    row("the friend follows the stranger", 0, "follow", stranger, home=homes[1])
    row("and has the posts", 0, "import", file, home=homes[1])
    row("the reader follows the friend", 0, "follow", friend, home=homes[0])
    node = started(homes[1])
    mine = started(homes[0], "--peer", node.address)
    answer = row("the friend answers", 0, "post", "--reply", posts[1], "the answer", home=homes[1]).strip()
    wait_for("the answer comes with what it answers", lambda: "what is answered" in texts(
        homes[0], "thread", answer))
    check("the thread is whole", texts(homes[0], "thread", answer) == ["what is answered", "the answer"])
    check("the stranger's post is in no timeline", "what is answered" not in texts(homes[0], "timeline"))
    row("nothing else of the stranger comes", 1, "show", posts[2], home=homes[0])
    got = why(homes[0], posts[1])
    check("why: a stranger who was answered", rules(got) == ["stranger"] and got["state"] == "visible", got)
    got = why(homes[0], posts[2])
    check("why: not wanted", got["state"] == "missing" and rules(got)[-1] == "not_wanted"
          and got["reasons"][-1]["override"] == "parley follow " + stranger, got)
    row("the answered one is purged, and stays away", 0, "purge", posts[1], home=homes[0])
    check("both stop", node.end() == 0 and mine.end() == 0)
    row("check finds it all good", 0, "check", home=homes[0])


def walk_moderation(scratch):
    walk_gone(scratch)
    walk_parent(scratch)
    home, other_home = os.path.join(scratch, "moderator"), os.path.join(scratch, "moderated")
    own, other = (json.loads(parley("init", "--json", home=h).stdout)["author"] for h in (home, other_home))
    walk_lists(home, other)
    row("follow", 0, "follow", other, home=home)
    posts = walk_words(home, other_home, scratch)
    answer = walk_muted(home, other_home, scratch, other, posts)
    walk_blocked(home, other_home, scratch, other, posts, answer)
    walk_votes_of_blocked(home, other_home, scratch, other)
    walk_states(home, other_home, scratch, own, other)
