"""Devices and keys: a second machine joins, one is revoked, the root is rotated, an empty machine
recovers from the words. One feed on every reader, and no fork.
Usage: devices_test.py PARLEYD PARLEY"""
import os
import shutil
import signal
import subprocess

import nodes
from nodes import PARLEY, run, wait_until


def born(scratch, name):
    """A home of a person and the words."""
    home = scratch.home(name)
    words = home.json("init")[0]["words"]
    return home, words


def texts(home, *words):
    return sorted(post["text"] for post in home.json("timeline", "--limit", "0", *words)
                  if post["kind"] == "post")


def devices(home):
    return {row["device"]: row for row in home.json("device", "list")}


def this(home):
    return next(row for row in home.json("device", "list") if row["this"])


def state(home, device):
    return devices(home)[device]["state"]


def joined(scratch, name, first):
    """A second machine of the same person, certified by the first; not connected."""
    home = scratch.home(name)
    asked = home.json("init", "--join", first.author,
                      "--generation", str(first.json("device", "add")[0]["generation"]))[0]
    added = first.json("device", "add", asked["request"])[0]
    assert added["device"] == asked["device"]
    return home


def recovered(scratch, name, words, author):
    home = scratch.home(name)
    row = home.parley("--json", "recover", text=words)
    assert author in row
    return home


def see(home, expected, what):
    wait_until(lambda: texts(home) == sorted(expected), f"{what}: {texts(home)}")


def refused(home, *words, status=1, text="", says=""):
    done = subprocess.run([PARLEY, "--home", home.path, *words], input=text, text=True,
                          capture_output=True, timeout=60)
    lines = done.stderr.splitlines()
    assert done.returncode == status and len(lines) == 1 and says in lines[0], (words, done)


def a_second_machine_joins_by_the_network(scratch):
    first, _ = born(scratch, "first")
    first.parley("post", "from the first")
    first.start()
    reader = scratch.home("r").init().start(peers=[first.address])
    reader.parley("follow", first.author)
    second = joined(scratch, "second", first).start(peers=[first.address])
    assert not os.path.exists(second.path / "root.key"), "a root key has left its machine"
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    see(second, ["from the first"], "history on the second")
    second.parley("post", "from the second")
    for home, name in ((first, "first"), (second, "second"), (reader, "reader")):
        see(home, ["from the first", "from the second"], name)
    assert len(devices(first)) == 2 and second.author == first.author


def a_second_machine_joins_by_a_stick(scratch):
    first, _ = born(scratch, "first")
    first.parley("post", "carried")
    second = joined(scratch, "second", first)
    refused(second, "post", "too early", says="device add")
    with open(scratch.folder + "/stick", "w", encoding="latin-1") as stick:
        subprocess.run([PARLEY, "--home", first.path, "export"], stdout=stick, check=True)
    second.parley("import", scratch.folder + "/stick")
    second.parley("post", "and now")
    assert texts(second) == ["and now", "carried"]


def what_one_follows_the_other_does(scratch):
    first, _ = born(scratch, "first")
    friend, stranger = scratch.home("f").init(), scratch.home("s").init()
    first.start()
    first.parley("follow", friend.author)
    first.parley("follow", stranger.author)
    first.parley("unfollow", stranger.author)
    second = joined(scratch, "second", first).start(peers=[first.address])
    follows = lambda home: {row["author"] for row in home.json("follows")}
    wait_until(lambda: follows(second) == {friend.author}, "the same follows")
    second.parley("unfollow", friend.author)
    second.parley("follow", stranger.author)
    wait_until(lambda: follows(first) == {stranger.author}, "and the other way")
    second.end(signal.SIGKILL)
    assert follows(second.start()) == {stranger.author}, "lost at a restart"


def a_lost_device_is_revoked(scratch):
    first, _ = born(scratch, "first")
    first.start()
    second = joined(scratch, "second", first).start(peers=[first.address])
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    second.parley("post", "mine")
    first.parley("post", "and mine")
    see(first, ["and mine", "mine"], "on the first")
    see(second, ["and mine", "mine"], "on the second")
    lost = this(second)["device"]
    refused(first, "device", "revoke", "this", says="rotate")
    refused(first, "device", "revoke", "ffff" + "0" * 12, says="device list")
    assert first.json("device", "revoke", lost[:8])[0] == {"device": lost, "seq": 1}
    refused(first, "device", "revoke", lost, says="before")
    wait_until(lambda: this(second)["state"] == "closed", "it hears of that")
    refused(second, "post", "the thief's", says="revoked")
    wait_until(lambda: "this device was revoked" in second.log(), "its node says so")
    third = scratch.home("r").init().start(peers=[first.address, second.address])
    third.parley("follow", first.author)
    see(third, ["and mine", "mine"], "the reader")
    refused(second, "device", "revoke", this(first)["device"], says="words")


def a_revoked_device_that_heard_nothing(scratch):
    """It was away, and says more: nobody takes that, by wire or by stick; what it said before is
    served by all. (tests/crowd/keys_test.c has the same with a hundred nodes.)"""
    first, _ = born(scratch, "first")
    first.start()
    relay = scratch.home("relay").start("--relay")
    first.parley("connect", relay.address)
    second = joined(scratch, "second", first).start(peers=[relay.address])
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    second.parley("post", "--ndjson", text="".join(f'{{"text":"mine {i}"}}\n' for i in range(5)))
    good = [f"mine {i}" for i in range(5)]
    see(first, good, "on the first")
    second.end()
    first.parley("device", "revoke", this(second)["device"])
    second.parley("post", "--ndjson", text="".join(f'{{"text":"late {i}"}}\n' for i in range(5)))
    with open(scratch.folder + "/late", "wb") as out:
        subprocess.run([PARLEY, "--home", second.path, "export"], stdout=out, check=True)
    readers = [scratch.home(f"r{i}").init().start(peers=[relay.address]) for i in range(3)]
    for reader in readers:
        reader.parley("follow", first.author)
        see(reader, good, "a reader")
    second.start(peers=[relay.address, readers[0].address])
    wait_until(lambda: this(second)["state"] == "closed", "it hears of that")
    newcomer = scratch.home("n").init().start(peers=[second.address, readers[1].address])
    newcomer.parley("follow", first.author)
    see(newcomer, good, "a newcomer")
    readers[2].parley("import", scratch.folder + "/late", status=None)
    for home in (first, relay, newcomer, *readers):
        assert texts(home, "--author", first.author) == sorted(good), home.path
    assert len({home.parley("digest", first.author) for home in (first, relay, newcomer, *readers)}) == 1
    assert all("closed" not in home.log() for home in readers), "nobody is blamed"


def revoked_at_an_earlier_post(scratch):
    first, words = born(scratch, "first")
    first.start()
    second = joined(scratch, "second", first).start(peers=[first.address])
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    good = second.json("post", "mine")[0]["post"]
    second.parley("post", "the thief's")
    see(first, ["mine", "the thief's"], "on the first")
    lost = this(second)["device"]
    os.unlink(first.path / "root.key")
    refused(first, "device", "revoke", lost, "--last", good, says="recovery words")
    refused(first, "device", "revoke", lost, "--last", good, text=" ".join(["zoo"] * 12))
    first.parley("device", "revoke", lost, "--last", good, text=words)
    assert texts(first) == ["mine"]
    first.parley("device", "revoke", lost, "--last", "none", text=words)
    assert texts(first) == []


def stolen_today_is_worthless_after_a_rotation(scratch):
    first, words = born(scratch, "first")
    first.parley("post", "mine")
    thief = scratch.home("thief")
    shutil.copytree(first.path, thief.path)
    relay = scratch.home("relay").start("--relay")
    first.start(peers=[relay.address])
    thief.start(peers=[relay.address])
    thief.parley("post", "the thief's")
    second = joined(scratch, "second", first).start(peers=[relay.address])
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    second.parley("post", "on the second")
    everything = ["mine", "on the second", "the thief's"]
    see(first, everything, "before")
    refused(first, "rotate", says="recovery words")
    bad, kept = this(thief)["device"], this(second)["device"]
    said = first.json("rotate", "--drop", bad, "--keep", kept, text=words)[0]
    assert said["generation"] == 1 and said["new_device"]
    assert {row["device"]: row["becomes"] for row in said["devices"]}[bad] == "dropped"
    first.parley("post", "after")
    reader = scratch.home("r").init().start(peers=[relay.address])
    reader.parley("follow", first.author)
    good = ["after", "mine", "on the second", "on too"]
    second.parley("post", "on too")
    for home, name in ((first, "first"), (second, "second"), (reader, "reader")):
        see(home, good, name)
    wait_until(lambda: this(thief)["state"] != "open", "the thief hears of that")
    refused(thief, "post", "more")
    # The keys of before, on a machine that hears nothing: signed, and worthless.
    thief.end()
    second.parley("post", "again")
    see(reader, good + ["again"], "the reader at last")


def rotated_twice_and_joined_again(scratch):
    first, words = born(scratch, "first")
    second = joined(scratch, "second", first)
    first.parley("post", "one")
    first.parley("rotate", text=words)
    first.parley("rotate", text=words)
    first.parley("post", "two")
    assert texts(first) == ["one", "two"]
    first.start()
    second.start(peers=[first.address])
    see(second, ["one", "two"], "history on the second")
    refused(second, "post", "not yet", says="device add")
    asked = second.json("init", "--join", first.author)[0]
    assert asked["generation"] == 2
    first.parley("device", "add", asked["request"])
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    second.parley("post", "three")
    see(first, ["one", "two", "three"], "on the first")


def the_first_is_gone(scratch):
    """Two devices and one restored from words on an empty machine: one feed on every reader, no
    fork, history back from a friend."""
    first, words = born(scratch, "first")
    author = first.author
    friend = scratch.home("friend").init().start()
    known = scratch.home("known").init()
    friend.parley("follow", author)
    first.start(peers=[friend.address])
    first.parley("follow", known.author)
    first.parley("profile", "set", "--name", "Ada")
    for number in range(20):
        first.parley("post", f"first {number}")
    second = joined(scratch, "second", first).start(peers=[friend.address])
    wait_until(lambda: this(second)["state"] == "open", "the certificate has come")
    second.parley("post", "second")
    see(friend, [f"first {n}" for n in range(20)] + ["second"], "the friend")
    lost = this(first)["device"]
    first.end(signal.SIGKILL)
    shutil.rmtree(first.path)

    third = recovered(scratch, "third", words, author)
    third.parley("post", "third, alone")
    third.start(peers=[friend.address])
    feed = [f"first {n}" for n in range(20)] + ["second", "third, alone"]
    see(third, feed, "history")
    wait_until(lambda: third.json("profile")[0]["name"] == "Ada", "the profile")
    wait_until(lambda: [row["author"] for row in third.json("follows")] == [known.author],
               "whom they follow")
    third.parley("device", "revoke", lost)
    third.parley("post", "third")
    reader = scratch.home("r").init().start(peers=[friend.address])
    reader.parley("follow", author)
    for home, name in ((friend, "friend"), (second, "second"), (third, "third"),
                       (reader, "reader")):
        see(home, feed + ["third"], name)
        own = {row["state"] for row in third.json("device", "list")}
        assert own == {"open", "closed"}, own
    heads = {home.json("digest", author)[0]["digest"] for home in (friend, second, third, reader)}
    assert len(heads) == 1, "one feed"


def recovered_after_a_rotation(scratch):
    first, words = born(scratch, "first")
    friend = scratch.home("friend").init().start()
    friend.parley("follow", first.author)
    author = first.author
    first.start(peers=[friend.address])
    first.parley("post", "one")
    first.parley("rotate", text=words)
    first.parley("post", "two")
    see(friend, ["one", "two"], "the friend")
    first.end()
    third = recovered(scratch, "third", words, author)
    third.parley("post", "early")
    third.start(peers=[friend.address])
    wait_until(lambda: texts(third) == ["one", "two"], "history")
    refused(third, "post", "not yet", says="parley recover")
    wait_until(lambda: "number 1 counts now" in third.log(), "the node says what to type")
    assert third.log().count("type: parley recover") == 1, third.log()
    refused(third, "doctor", says="recover")
    third.parley("recover", text=words)
    third.parley("post", "three")
    for home in (third, friend):
        see(home, ["early", "one", "two", "three"], "all of it")


def recovered_in_one_step_after_rotations(scratch):
    """Whoever is named tells which root key counts: one command, and this machine posts."""
    first, words = born(scratch, "first")
    friend = scratch.home("friend").init().start()
    friend.parley("follow", first.author)
    author = first.author
    first.start(peers=[friend.address])
    first.parley("post", "one")
    first.parley("rotate", text=words)
    first.parley("rotate", text=words)
    first.parley("post", "two")
    see(friend, ["one", "two"], "the friend")
    first.end()
    third = scratch.home("third")
    made = third.json("recover", friend.address, text=words)[0]
    assert made["author"] == author and made["generation"] == 2, made
    third.parley("post", "three")
    third.start()  # whom it asked it knows
    for home in (third, friend):
        see(home, ["one", "two", "three"], "all of it")
    # With a node that runs, and where nobody knows anything.
    fourth = scratch.home("fourth").init("recover", text=words).start()
    fourth.parley("recover", friend.address, text=words)
    fourth.parley("post", "four")
    see(friend, ["one", "two", "three", "four"], "the friend")
    stranger = scratch.home("stranger").init().start()
    refused(scratch.home("fifth"), "recover", stranger.address, text=words, status=5, says="told of")
    refused(scratch.home("sixth"), "recover", friend.address[:-1] + "x", text=words, says="address")


def a_device_key_that_is_lost(scratch):
    """No other person is made where somebody was; the words make another device there, also after a
    rotation."""
    first, words = born(scratch, "first")
    _, others = born(scratch, "other")
    first.parley("post", "one")
    for generation in range(2):
        key = first.path / "device.key"
        key.rename(first.path / "lost")
        for command in (["id"], ["init"], ["post", "x"], ["timeline"], ["doctor"]):
            refused(first, *command, says="device.key is missing")
        status, said = nodes.refused("--home", first.path, "--relay")
        assert status == 1 and "recover" in said and said.count("\n") == 1, said
        refused(first, "recover", text=others, says="another person's")
        made = first.json("recover", text=words)[0]
        assert made["generation"] == generation
        first.parley("post", f"again {generation}")
        first.parley("check")
        assert first.author == made["author"]
        if generation == 0:
            first.parley("rotate", text=words)
    (first.path / "device.key").unlink()
    (first.path / "root.key").unlink()
    first.parley("recover", text=words)
    first.parley("post", "and again")
    assert texts(first) == ["again 0", "again 1", "and again", "one"]
    done = subprocess.run([PARLEY, "--home", first.path, "check"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done


def words_are_read_with_care(scratch):
    first, words = born(scratch, "first")
    _, others = born(scratch, "other")
    empty = scratch.home("empty")
    refused(empty, "recover", says="missing")
    refused(empty, "recover", text="one twoo", says="recovery word 2 is not")
    refused(empty, "recover", text=words.rsplit(" ", 1)[0], says="twelve")
    refused(empty, "recover", words, status=2, says="never stand on the command line")
    assert not empty.path.exists()
    refused(first, "rotate", text=others, says="another person")
    refused(first, "recover", text=others, says="another person")
    empty.parley("recover", "-", text="  " + words.upper().replace(" ", "\n") + "\n")
    assert empty.author == first.author
    for name in ("root.key", "device.key", "node.key"):
        assert (empty.path / name).stat().st_mode & 0o777 == 0o600, name
    words_of = [word for word in words.split()]
    for path in empty.path.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert b" ".join(word.encode() for word in words_of) not in data, path


run(a_second_machine_joins_by_the_network,
    a_second_machine_joins_by_a_stick,
    what_one_follows_the_other_does,
    a_lost_device_is_revoked,
    a_revoked_device_that_heard_nothing,
    revoked_at_an_earlier_post,
    stolen_today_is_worthless_after_a_rotation,
    rotated_twice_and_joined_again,
    the_first_is_gone,
    recovered_after_a_rotation,
    recovered_in_one_step_after_rotations,
    a_device_key_that_is_lost,
    words_are_read_with_care)
