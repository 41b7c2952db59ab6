"""Large bundles: sent to the node as they stand, and judged by the command only when something does
not hold. What is said is the same either way, and nothing that is bad comes in."""
import hashlib
import json
import pathlib
import subprocess
import sys
import time

from nodes import run

QUICK_BYTES = 1 << 20  # import_quick.c


def make(scratch, authors, posts):
    path = pathlib.Path(scratch.folder) / f"{authors}x{posts}.parley"
    with open(path, "wb") as out:
        subprocess.run([sys.argv[3], str(authors), str(posts)], stdout=out, check=True)
    assert path.stat().st_size > QUICK_BYTES, path.stat().st_size
    return path


def said(home, *words, status=0):
    return json.loads(home.parley("--json", *words, status=status).splitlines()[-1])


def relay(scratch, name, runs=True):
    home = scratch.home(name)
    home.parley("init", "--relay")
    if runs:
        home.start("--relay")
    return home


def changed(path, name, change):
    data = bytearray(path.read_bytes())
    change(data)
    other = path.with_name(name + ".parley")
    other.write_bytes(data)
    return other


TRAILER_SIZE = 1 + 1 + 3 + 34  # array, kind, a count of 16 bits, hash: SPEC 7.2


def flip(at, seals=False):
    def change(data):
        data[at] ^= 1
        if seals:
            data[-32:] = hashlib.blake2b(b"parley bundle\0" + data[:-TRAILER_SIZE],
                                         digest_size=32).digest()
    return change


# Authors that end with a page, and authors that take several.
SHAPES = ((40, 100), (2, 2500))


def all_ways_come_to_the_same(scratch):
    for authors, posts in SHAPES:
        path = make(scratch, authors, posts)
        size = path.stat().st_size
        name = f"{authors}"
        node, without = relay(scratch, name), relay(scratch, name + "-none", runs=False)
        slow = relay(scratch, name + "-slow")
        want = {"entries": authors * posts, "added": authors * posts, "records": 2 * authors,
                "passed_over": 0, "whole": True, "passed": []}
        for home in (node, without):
            taken = said(home, "import", str(path))
            assert taken == want, taken
        # The trailer's hash is bad: all of it is judged by the command as well.
        taken = said(slow, "import", str(changed(path, name + "-t", flip(size - 1))), status=1)
        assert taken["added"] == want["added"] and not taken["whole"], taken
        digest = said(node, "digest")
        assert digest == said(slow, "digest") == said(without, "digest")
        again = said(node, "import", str(path))
        assert again["added"] == 0 and again["entries"] == authors * posts and again["whole"]
        node.end()
        slow.end()


def damage_is_told_as_by_verify(scratch):
    path = make(scratch, *SHAPES[0])
    size = path.stat().st_size
    word = path.read_bytes().index(b"river", size // 5)  # of somebody's post
    for name, change in (("signature", flip(word, seals=True)),
                         ("cut", lambda data: data.__delitem__(slice(size * 2 // 3, None)))):
        bad = changed(path, name, change)
        home = relay(scratch, "damaged-" + name)
        verdict = said(home, "verify", str(bad), status=1)
        taken = said(home, "import", str(bad), status=1)
        assert not taken["whole"], taken
        assert taken["entries"] >= verdict["entries"] - 100, (taken, verdict)  # but for the run at hand
        assert taken["entries"] == taken["added"] < 4000 and taken["added"] % 100 == 0, taken
        # What came in is whole authors, each good by itself.
        home.end()
        home.parley("check")


def strangers_cost_a_page_no_turns(scratch):
    """A short page for which all has to be read takes as long as a long one."""
    path = make(scratch, *SHAPES[0])
    home = scratch.home("reader").init().start()
    home.parley("import", str(path))
    home.parley("post", "mine")
    spent = {}
    for limit in (1000, 2):
        began = time.monotonic()
        assert [post["text"] for post in home.json("timeline", "--limit", str(limit))] == ["mine"]
        spent[limit] = time.monotonic() - began
    assert spent[2] < 4 * spent[1000] + 0.5, spent
    assert home.end() == 0


run(all_ways_come_to_the_same, damage_is_told_as_by_verify, strangers_cost_a_page_no_turns)
