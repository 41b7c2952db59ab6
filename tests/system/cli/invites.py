"""Invites: made, accepted, and each way in which one is no good."""
import base64
import hashlib
import json
import os
import time

from .ledger import check, lines, parley, row, started, wait_for

PREFIX = "pinvite1"


def bytes_of(invite):
    return base64.urlsafe_b64decode(invite.removeprefix(PREFIX) + "==="[:-len(invite.removeprefix(PREFIX)) % 4])


def text_of(data):
    """The first bytes of an invite, with the checksum that belongs to them."""
    sum_ = hashlib.blake2b(b"parley invite text\0" + data, digest_size=32).digest()[:4]
    return PREFIX + base64.urlsafe_b64encode(data + sum_).rstrip(b"=").decode()


def forged(invite):
    """Texts that were no maker's, by what is wrong with them."""
    data = bytes_of(invite)[:-4]
    fixed, minutes, places = data[:81], data[81:85], data[85:]
    soon = int(time.time() // 60 + 100).to_bytes(4, "big")

    def led_to(*hosts):
        return text_of(fixed + soon + b"".join(bytes([len(host)]) + host for host in hosts))
    return {
        "no invite": ("hello", "no invite"), "an empty one": ("", "no invite"), "its beginning": (PREFIX, "no invite"),
        "a cut one": (invite[:-3], "letter|no invite"), "a letter too many": (invite + "A", "letter|no invite"),
        "a wrong letter": (invite[:20] + ("A" if invite[20] != "A" else "B") + invite[21:], "letter"),
        "letters of no alphabet": (PREFIX + "\u202e<script>" + invite[20:], "no invite"),
        "one of a version to come": (text_of(b"\x02" + data[1:]), "newer"),
        "an expired one": (text_of(fixed + (1000).to_bytes(4, "big") + places), "expired"),
        "one without places": (text_of(fixed + minutes), "no address"),
        "one with a place cut": (text_of(data[:-1]), "no address"),
        "one with a place of rubbish": (led_to(b"\xff\0\x1b[2J"), "no address"),
        "one with five places": (led_to(*[b"9.9.9.9:7373"] * 5), "no address"),
        "one to a service of this machine": (led_to(b"127.0.0.1:22"), "another network"),
        "one to this machine among others": (led_to(b"127.0.0.1:7373", b"10.255.255.9:22"), "another network"),
        "one to nowhere": (led_to(b"0.0.0.0:7373", b"224.0.0.1:7373", b"[::ffff:127.0.0.1]:7373"), "another network"),
        "one to names of this machine": (led_to(b"localhost:7373", b"a.internal:7373"), "another network"),
        "one of another transport": (led_to(b"tor/abcdefgh.onion:7373"), "another network"),
        "one of a foreign network": (led_to(b"10.255.255.9:7373"), "another network"),
    }


def walk_bad_invites(home, invite):
    for what, (text, words) in forged(invite).items():
        row(f"accept of {what}", 1, "accept", text, home=home, error=words)
    row("accept of bytes that are no text", 1, "accept", "-", home=home, stdin=b"\xff\xfe")
    row("accept of nothing", 1, "accept", "-", home=home, error="no invite")
    check("nobody is followed for any of it", parley("follows", home=home).stdout == b"")
    check("nobody is connected for any of it", parley("peers", home=home).stdout == b"")


def walk_invites(scratch):
    ann, bob, eve = (os.path.join(scratch, "invites-" + name) for name in ("ann", "bob", "eve"))
    authors = {home: json.loads(parley("init", "--json", home=home).stdout)["author"] for home in (ann, bob, eve)}
    nodes = [started(home) for home in (ann, bob, eve)]
    made = lines(row("invite", 0, "invite", "--json", home=ann))[0]
    check("an invite of a node on loopback is good on this machine",
          made["places"][0].startswith("127.0.0.1:") and made["expires"] > time.time() * 1000, made)
    check("its code is a square", len(made["qr"]) == len(made["qr"][0]) and set("".join(made["qr"])) == {"0", "1"})
    row("invite in words", 0, "invite", home=ann, out="^pinvite1[A-Za-z0-9_-]+\n$")
    row("invite for too long", 1, "invite", "--days", "31", home=ann, error="30")
    row("invite for no time", 1, "invite", "--days", "0", home=ann, error="30")
    row("invite for so many", 2, "invite", "--days", "x", home=ann)
    row("accept of one's own", 1, "accept", made["invite"], home=ann, error="your own")
    walk_bad_invites(bob, made["invite"])
    row("accept", 0, "accept", "-", home=bob, stdin=(made["invite"] + "\n").encode(), out=authors[ann])
    for home, other in ((ann, bob), (bob, ann)):
        wait_for("both follow", lambda h=home, o=other: authors[o] in parley("follows", home=h).stdout.decode())
        check("both are connected", b"pnode1" in parley("peers", home=home).stdout)
    row("accept of what was used", 1, "accept", made["invite"], home=eve, error="used")
    row("accept of what was one's own already", 0, "accept", "--json", made["invite"], home=bob, out=authors[ann])
    check("whoever came late is not followed", authors[eve] not in parley("follows", home=ann).stdout.decode())
    check("and follows nobody", parley("follows", home=eve).stdout == b"")
    row("accept of what nobody made", 1, "accept", text_of(b"\x01" + bytes_of(made["invite"])[1:65] + bytes(16)
                                                           + bytes_of(made["invite"])[81:-4]), home=eve, error="nothing of this")
    walk_endings(ann, eve, nodes)


def walk_endings(ann, eve, nodes):
    with open("/dev/full", "w", encoding="utf-8") as full:
        row("invite to a full output", 4, "invite", home=ann, stdout=full)
        again = lines(row("invite once more", 0, "invite", "--json", home=ann))[0]
        row("accept to a full output", 4, "accept", again["invite"], home=eve, stdout=full)
    check("all stop", [node.end() for node in nodes] == [0, 0, 0])
