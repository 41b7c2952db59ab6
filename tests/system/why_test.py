"""Each state that `why` names, come about with real programs; and for each what brings the post back,
by what `why` itself says to type.
Usage: why_test.py PARLEYD PARLEY"""
import os
import pathlib
import shlex
import shutil
import subprocess

from nodes import PARLEY, lines_of_posts, run, wait_until

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "bundles"
# Whose entries the vectors are.
ALICE = "parley12yzdgs3n5hyhpklcgan0lze0rne5mtmppksfjn6kgennm7rnv8wsaxx5ss"


def why(home, post):
    return home.json("why", post)[0]


def state(home, post):
    return why(home, post)["state"]


def rules(home, post):
    return [reason["rule"] for reason in why(home, post)["reasons"]]


def override(home, post, rule):
    """What `why` says to type: typed as it stands."""
    reason = next(r for r in why(home, post)["reasons"] if r["rule"] == rule)
    words = shlex.split(reason["override"])
    assert words[0] == "parley", reason
    home.parley(*words[1:])


def carry(one, other, status=0):
    """What one exports, the other imports."""
    path = one.path / "carried.parley"
    with open(path, "wb") as out:
        subprocess.run([PARLEY, "--home", one.path, "export"], stdout=out, check=True)
    other.parley("import", str(path), status=status)


def is_shown(home, post):
    return home.json("show", post)[0]["text"] is not None


def what_a_closing_ends(scratch):
    home, reader = scratch.home("a").init(), scratch.home("r").init()
    reader.parley("follow", home.author)
    second = scratch.home("b")
    asked = second.json("init", "--join", home.author)[0]
    home.parley("device", "add", asked["request"])
    carry(home, second)
    good = second.parley("post", "mine").strip()
    bad = second.parley("post", "the thief's").strip()
    carry(second, home)
    home.parley("device", "revoke", asked["device"], "--last", good)
    carry(home, reader)
    carry(second, reader, status=1)  # what stands above the end is passed over, and said
    assert state(reader, good) == "visible"
    # What is above the end does not come any more, so there is nothing to allow.
    (reason,) = [r for r in why(reader, bad)["reasons"] if r["hides"]]
    assert state(reader, bad) == "hidden" and reason["rule"] == "closed", reason
    assert reason["override"] is None, reason
    # Here the post came before the closing.
    assert state(home, bad) == "hidden" and "closed" in rules(home, bad)
    home.parley("show", bad, status=1)
    override(home, bad, "closed")
    assert state(home, bad) == "visible" and is_shown(home, bad)
    home.parley("unallow", bad)
    home.parley("device", "revoke", asked["device"], "--last", "none")
    assert state(home, good) == "hidden" and "void" in rules(home, good)
    override(home, good, "void")
    assert state(home, good) == "visible" and is_shown(home, good)


def what_a_fork_freezes(scratch):
    home, reader = scratch.home("a").init(), scratch.home("r").init()
    reader.parley("follow", home.author)
    below = home.parley("post", "before").strip()
    other = scratch.home("b")
    shutil.copytree(home.path, other.path)
    here = home.parley("post", "here").strip()
    state_home = os.environ["XDG_STATE_HOME"]
    os.environ["XDG_STATE_HOME"] = state_home + "-elsewhere"
    other.parley("--same-device", "post", "there")
    carry(home, reader)
    carry(other, reader, status=1)
    os.environ["XDG_STATE_HOME"] = state_home
    assert state(reader, below) == "visible"
    assert state(reader, here) == "frozen" and "fork" in rules(reader, here)
    words = next(r["words"] for r in why(reader, here)["reasons"] if r["rule"] == "fork")
    assert home.json("show", here)[0]["id"] in words and "number 2" in words, words
    override(reader, here, "fork")
    assert state(reader, here) == "visible" and is_shown(reader, here)


def what_the_records_do_not_lead_to(scratch):
    home = scratch.home("a").init()
    home.parley("follow", ALICE)
    home.parley("import", str(VECTORS / "small.parley"))
    post = f"{ALICE}/2"
    home.parley("import", str(VECTORS / "closed-at-another.parley"), status=None)
    assert state(home, post) == "hidden" and "unlinked" in rules(home, post), why(home, post)
    home.parley("show", post, status=1)
    override(home, post, "unlinked")
    assert state(home, post) not in ("hidden", "missing"), why(home, post)
    home.parley("show", post)


def what_came_without_its_words(scratch):
    home = scratch.home("a").init()
    home.parley("follow", ALICE)
    home.parley("import", str(VECTORS / "headers-alone.parley"))
    post = f"{ALICE}/1"
    assert state(home, post) == "no_body" and rules(home, post)[-1] == "no_body"
    home.parley("import", str(VECTORS / "small.parley"))
    assert "no_body" not in rules(home, post)


def what_was_purged_comes_back(scratch):
    friend = scratch.home("f").init().start()
    reader = scratch.home("r").init().start(peers=[friend.address])
    reader.parley("follow", friend.author)
    posts = friend.parley("post", "--ndjson", text=lines_of_posts(6)).split()
    friend.parley("erase", posts[0])
    wait_until(lambda: reader.json("status")[0]["entries"] == 8, "all of it")
    for post in posts[1:3]:
        reader.parley("purge", post)
    assert state(reader, posts[1]) == "purged" and state(reader, posts[2]) == "purged"
    override(reader, posts[1], "purge")
    wait_until(lambda: state(reader, posts[1]) == "visible", "one of them comes again")
    assert is_shown(reader, posts[1]) and state(reader, posts[2]) == "purged"
    reader.parley("purge", friend.author)
    assert state(reader, posts[3]) == "purged"
    reader.parley("allow", friend.author)
    wait_until(lambda: all(state(reader, p) == "visible" for p in posts[1:]), "all of them do")
    assert state(reader, posts[0]) == "erased", "what its author erased does not"
    assert friend.parley("digest", "--json", friend.author) == reader.parley(
        "digest", "--json", friend.author)
    assert reader.end() == 0
    reader.parley("check")


def what_was_purged_comes_out_of_a_file(scratch):
    """With no node on either side."""
    friend, reader = scratch.home("f").init(), scratch.home("r").init()
    post = friend.parley("post", "once more").strip()
    carry(friend, reader)
    reader.parley("purge", post)
    carry(friend, reader)
    assert state(reader, post) == "purged"
    override(reader, post, "purge")
    assert state(reader, post) == "no_body"
    carry(friend, reader)
    assert state(reader, post) == "visible" and is_shown(reader, post)


def what_a_quota_pruned_comes_back(scratch):
    friend = scratch.home("f").init()
    text = "".join(f'{{"text":"{i} {os.urandom(4000).hex()}"}}\n' for i in range(200))
    posts = friend.parley("post", "--ndjson", text=text).split()
    friend.start()
    reader = scratch.home("r").init().start("--quota", "1M", peers=[friend.address])
    reader.parley("follow", friend.author)
    wait_until(lambda: state(reader, posts[0]) == "pruned", "the oldest goes")
    assert state(reader, posts[-1]) == "visible"
    assert "parley import" in why(reader, posts[0])["reasons"][-1]["words"]
    override(reader, posts[0], "quota")
    wait_until(lambda: state(reader, posts[0]) == "visible", "the oldest comes again")
    assert reader.json("status")[0]["state"] == "over_quota"


def a_quota_that_is_no_more(scratch):
    friend = scratch.home("f").init()
    text = "".join(f'{{"text":"{i} {os.urandom(4000).hex()}"}}\n' for i in range(200))
    posts = friend.parley("post", "--ndjson", text=text).split()
    friend.start()
    reader = scratch.home("r").init().start("--quota", "1M", peers=[friend.address])
    reader.parley("follow", friend.author)
    wait_until(lambda: state(reader, posts[0]) == "pruned", "the oldest goes")
    assert reader.end() == 0
    reader.start(peers=[friend.address])
    wait_until(lambda: state(reader, posts[0]) == "visible", "the oldest comes again")


def an_answer_to_what_is_not_here(scratch):
    friend, other, reader = (scratch.home(name).init() for name in ("f", "o", "r"))
    asked = other.parley("post", "a question").strip()
    carry(other, friend)
    answer = friend.parley("post", "--reply", asked, "an answer").strip()
    carry(friend, reader)
    reason = next(r for r in why(reader, answer)["reasons"] if r["rule"] == "parent")
    assert asked in reason["words"] and state(reader, answer) == "visible"
    assert "what this answers is not here" in reader.parley("thread", answer)
    assert "not here" in reader.parley("show", answer)
    carry(other, reader)
    assert "parent" not in rules(reader, answer)
    assert "not here" not in reader.parley("show", answer)


run(what_a_closing_ends,
    what_a_fork_freezes,
    what_the_records_do_not_lead_to,
    what_came_without_its_words,
    what_was_purged_comes_back,
    what_was_purged_comes_out_of_a_file,
    what_a_quota_pruned_comes_back,
    a_quota_that_is_no_more,
    an_answer_to_what_is_not_here)
