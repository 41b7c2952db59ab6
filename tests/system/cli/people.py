"""Whom one follows."""
from .ledger import check, lines, row


def walk_people(home, other):
    row("follow", 0, "follow", other, home=home)
    row("follow again", 0, "follow", other, home=home)
    got = lines(row("follows", 0, "follows", "--json", home=home))
    check("follows lists", [f["author"] for f in got] == [other] and got[0]["private"] is False, got)
    row("follows in words", 0, "follows", home=home, out=other)
    row("unfollow", 0, "unfollow", other, home=home)
    row("unfollow again", 1, "unfollow", other, home=home)
    check("follows no more", row("follows", 0, "follows", home=home) == "")
    row("follow --private", 0, "follow", "--private", other, home=home)
    got = lines(row("follows", 0, "follows", "--json", home=home))
    check("a private follow is private", got and got[0]["private"] is True, got)
    row("unfollow a private one", 0, "unfollow", other, home=home)
    row("follow with a wrong letter", 1, "follow", other[:-1] + ("q" if other[-1] != "q" else "p"), home=home)
    row("follow a wrong address", 1, "follow", other, "nowhere", home=home)
    row("follow an address that is not UTF-8", 2, "follow", other, b"\xff", home=home, error="not UTF-8")
