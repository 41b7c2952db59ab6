"""Bundles into a home and out again: what is good is taken, whatever stands behind it."""
import json
import pathlib
import subprocess
import sys

from nodes import run, wait_until

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "bundles"
# Whose entries the vectors are.
ALICE = "parley12yzdgs3n5hyhpklcgan0lze0rne5mtmppksfjn6kgennm7rnv8wsaxx5ss"


def bundle(name):
    return VECTORS / (name + ".parley")


def verdict(home, path, status=0):
    return json.loads(home.parley("--json", "verify", str(path), status=status).splitlines()[-1])


def take(home, path, status=0):
    return json.loads(home.parley("--json", "import", str(path), status=status).splitlines()[-1])


def digests(home):
    return home.json("digest")[0]


def relay(scratch, name):
    home = scratch.home(name)
    home.parley("init", "--relay")
    return home


def export(home, author):
    words = [sys.argv[2], "--home", home.path, "export", "--author", author]
    done = subprocess.run(words, capture_output=True, timeout=60, check=True)
    return done.stdout


def what_came_in_goes_out(scratch):
    for name in ("small", "rotated", "chained", "closed-at-chained", "chained-across-chunks",
                 "listed-chained", "records-reduced", "records-passed-over"):
        home, other = relay(scratch, name), relay(scratch, name + "-again")
        whole = verdict(home, bundle(name))
        taken = take(home, bundle(name))
        assert taken["added"] == whole["entries"] and taken["whole"], (name, taken)
        out = home.path / "out.parley"
        out.write_bytes(export(home, ALICE))
        assert verdict(home, out)["entries"] == whole["entries"], name
        # from a pipe, which cannot be read twice
        with open(out, "rb") as pipe:
            words = [sys.argv[2], "--home", other.path, "import", "-"]
            cat = subprocess.Popen(["cat"], stdin=pipe, stdout=subprocess.PIPE)
            subprocess.run(words, stdin=cat.stdout, capture_output=True, timeout=60, check=True)
            cat.wait()
        assert digests(other) == digests(home), name
        again = take(home, bundle(name))
        assert again["added"] == 0 and again["whole"], (name, again)


def what_stands_before_damage_is_taken(scratch):
    for name, added in (("cut", 3), ("bad-top", 4), ("chained-to-the-end", 2), ("no-trailer", 5),
                        ("before-closing", 0), ("record-late", 3), ("chunk-missing-link", 3)):
        home = relay(scratch, name)
        taken = take(home, bundle(name), status=1)
        assert taken["added"] == added and not taken["whole"], (name, taken)


def bodies_come_to_headers(scratch):
    home, other = relay(scratch, "headers"), relay(scratch, "bodies")
    take(home, bundle("headers-alone"))
    take(other, bundle("small"))
    before = digests(home)
    assert before["digest"] == digests(other)["digest"]
    assert before["digest_bodies"] != digests(other)["digest_bodies"]
    assert take(home, bundle("small"))["added"] == 0
    assert digests(home) == digests(other)


def what_nothing_vouches_for_stays(scratch):
    home = relay(scratch, "chained")
    out = home.path / "out.parley"
    take(home, bundle("closed-at-chained"))
    # The closing that vouched for entry 3 is void from here on.
    take(home, bundle("listing-alone"))
    out.write_bytes(export(home, ALICE))
    assert verdict(home, out)["entries"] == 2
    # Nor does it below a hole, where nothing has looked for the newest that is signed.
    assert take(home, bundle("newest-alone"))["added"] == 1
    out.write_bytes(export(home, ALICE))
    assert verdict(home, out)["entries"] == 3


def what_a_closing_does_not_name_is_not_counted(scratch):
    home, other = relay(scratch, "branch"), relay(scratch, "records")
    take(home, bundle("small"))
    take(home, bundle("closed-at-another"))
    take(other, bundle("closed-at-another"))
    assert digests(home) == digests(other)


def below_a_fork_all_is_counted(scratch):
    home, other = relay(scratch, "fork"), relay(scratch, "below")
    out = home.path / "out.parley"
    take(home, bundle("small"))
    assert take(home, bundle("other-branch"), status=1)["passed_over"] == 5
    out.write_bytes(export(home, ALICE))
    assert verdict(home, out)["entries"] == 3
    take(other, out)
    assert digests(home) == digests(other)


def what_conflicts_is_passed_over(scratch):
    home = relay(scratch, "forked")
    taken = take(home, bundle("author-again"), status=1)
    assert taken["added"] == 3 and taken["passed_over"] == 3 and not taken["whole"], taken
    assert taken["passed"][0]["error"] == "FORKED" and taken["passed"][0]["low"] == 1, taken
    # and the author behind it is read on
    taken = take(home, bundle("two-people"), status=1)
    assert taken["added"] >= 6, taken


MONTH_MS = 30 * 24 * 3600 * 1000


def half(scratch, name, people, start_ms):
    """A relay and people who follow one another, connected to it alone; each posts a day's worth."""
    relay_home = scratch.home(name + "-relay").start("--relay")
    homes = []
    for number in range(people):
        home = scratch.home(f"{name}-{number}").init().start(peers=[relay_home.address])
        home.parley("post", "--ndjson", text="".join(
            json.dumps({"text": f"{name} {number} {i}", "time": start_ms + i * 60000}) + "\n"
            for i in range(150)))
        homes.append(home)
    wait_until(lambda: relay_home.json("status")[0]["entries"] == 150 * people, "the half is one")
    return relay_home, homes


def two_halves_exchange_a_stick(scratch):
    """Thirty days apart, with no connection between them: one file each way, then all are equal."""
    start = 1700000000000
    here, people_here = half(scratch, "here", 2, start)
    there, people_there = half(scratch, "there", 2, start + MONTH_MS)
    people = people_here + people_there
    authors = [home.author for home in people]
    # Whom one knows by name one follows, before any of it has come.
    for home in people:
        for author in authors:
            if author != home.author:
                home.parley("follow", author, "--private")
    stick = pathlib.Path(scratch.folder) / "stick"
    for one, other in ((people_here[1], people_there[0]), (people_there[0], people_here[1])):
        known = [w for a in authors if any(p["author"] == a for p in one.json(
            "timeline", "--limit", "0")) for w in ("--author", a)]
        with open(stick, "wb") as out:
            subprocess.run([sys.argv[2], "--home", one.path, "export", *known], stdout=out, check=True)
        assert verdict(one, stick)["valid"]
        assert take(other, stick)["whole"]
    wait_until(lambda: len({home.parley("digest", *authors) for home in [here, there, *people]}) == 1,
               "equal digests on all six", 90)
    texts = {post["text"] for post in people_there[1].json("timeline", "--limit", "0")}
    assert len(texts) == 600, len(texts)


run(two_halves_exchange_a_stick, what_came_in_goes_out, what_stands_before_damage_is_taken, bodies_come_to_headers,
    what_nothing_vouches_for_stays, what_a_closing_does_not_name_is_not_counted,
    below_a_fork_all_is_counted, what_conflicts_is_passed_over)
