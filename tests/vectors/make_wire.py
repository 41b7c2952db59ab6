#!/usr/bin/env python3
"""Writes wire.txt: messages good and bad, from SPEC 1 and 9 and from nothing of the C code.

Usage: make_wire.py > wire.txt, or make_wire.py wire.txt to compare.
"""

import contextlib
import io
import json
import sys


def head(small, small_max, wide, count):
    """The lead of an array or map of 16 bits, or its short form."""
    if count <= small_max:
        return bytes([small | count])
    return bytes([wide]) + count.to_bytes(2, "big")


def pack_uint(value):
    if value < 0x80:
        return bytes([value])
    for lead, width in ((0xCC, 1), (0xCD, 2), (0xCE, 4), (0xCF, 8)):
        if value < 1 << (8 * width):
            return bytes([lead]) + value.to_bytes(width, "big")
    raise ValueError(value)


def pack_sized(leads, data):
    for lead, width in zip(leads, (1, 2, 4)):
        if len(data) < 1 << (8 * width):
            return bytes([lead]) + len(data).to_bytes(width, "big") + data
    raise ValueError(len(data))


def pack(value):
    """Integers, bytes as bin, str as text, lists as arrays; Raw goes as it is."""
    if isinstance(value, Raw):
        return value.data
    if isinstance(value, int):
        return pack_uint(value)
    if isinstance(value, bytes):
        return pack_sized((0xC4, 0xC5, 0xC6), value)
    if isinstance(value, str):
        data = value.encode()
        return bytes([0xA0 | len(data)]) + data if len(data) < 32 else pack_sized((0xD9, 0xDA, 0xDB), data)
    return head(0x90, 15, 0xDC, len(value)) + b"".join(map(pack, value))


class Raw:
    """Bytes that stand in a message as they are."""

    def __init__(self, text):
        self.data = bytes.fromhex(text)


def b(byte, size=32):
    return bytes([byte]) * size


SEQ_MAX = (1 << 48) - 1
ZERO = b(0)
A1, A2, LOG, LOG2, ID, KEY = b(0xA1), b(0xA2), b(0x10), b(0x20), b(0x1D), b(0x5E)
SET, SALT, CHUNK = b(0x5F, 16), b(0x5A, 16), b(0xC0, 300)
HEAD = [LOG, 7, ID, 0, 1]

GOOD = [
    ("hello", [0, 1, 0, KEY]),
    ("hello of a relay, newer and with features unknown here", [0, 65535, (1 << 64) - 1, KEY]),
    ("ping", [1, 0]),
    ("ping with the largest token", [1, (1 << 64) - 1]),
    ("goodbye: stopping", [2, 0]),
    ("goodbye with a reason unknown here", [2, 4000000000]),
    ("pong", [3, 77]),
    ("interest in nothing", [4, 0, []]),
    ("interest in everything", [4, 1, []]),
    ("interest in no author yet", [4, 2, []]),
    ("interest in two authors", [4, 2, [A1, A2]]),
    ("no addresses", [5, []]),
    ("two addresses", [5, [b(9, 1), b(8, 1024)]]),
    ("interest change", [6, [A1], [A2]]),
    ("interest change of nothing", [6, [], []]),
    ("shuffle of nothing", [11, [], b""]),
    ("shuffle", [11, [b(9, 140), b(8, 1024)], b(0, 2048)]),
    ("no heads", [8, 1, 1, []]),
    ("heads: an author without logs", [8, 1, 0, [[A1, SET, []]]]),
    ("heads: two authors", [8, 4294967295, 1, [[A1, SET, [HEAD, [LOG2, 0, ZERO, 0, 0]]], [A2, SET, [HEAD]]]]),
    ("heads: forked above the head", [8, 2, 1, [[A1, SET, [[LOG, 7, ID, 8, 3]]]]]),
    ("heads: forked from the start", [8, 2, 1, [[A1, SET, [[LOG, 0, ZERO, 1, 0]]]]]),
    ("heads: known, not held", [8, 2, 1, [[A1, SET, [[LOG, SEQ_MAX, ID, 0, 0]]]]]),
    ("ask for a run from the head", [10, 5, LOG, 0, 0, ZERO, 0, 1, 1048576]),
    ("ask for a run from the head above what is here", [10, 6, LOG, 0, 0, ZERO, 41, 1, 4294967295]),
    ("ask for a run, anchored, headers alone", [10, 7, LOG, 1, 100, ID, 99, 0, 1]),
    ("run", [12, 5, 0, CHUNK]),
    ("run: the last chunk", [12, 5, 1, CHUNK]),
    ("run: nothing", [12, 5, 1, b""]),
    ("ask for one body", [14, 8, LOG, 3, ID, 3]),
    ("ask for the most bodies", [14, 8, LOG, SEQ_MAX, ID, SEQ_MAX - 1023]),
    ("bodies", [16, 8, 0, LOG, [[3, SALT, b"\x81\x00\x02"], [5, SALT, b""]]]),
    ("no bodies", [16, 8, 1, LOG, []]),
    ("invite", [13, b(7, 16), A1, "192.0.2.7:7373"]),
    ("invite without a place", [13, b(7, 16), A1, ""]),
    ("invite with a place that is none", [13, b(0, 16), A2, "x" * 280]),
    ("welcome", [15, b(7, 16), 0]),
    ("welcome with a verdict unknown here", [15, b(7, 16), 4294967295]),
    ("push", [18, CHUNK]),
    ("announce", [20, [[LOG, 1, ID], [LOG2, SEQ_MAX, ID]]]),
    ("prune of one bucket", [7, 1]),
    ("prune of all buckets", [7, (1 << 64) - 1]),
    ("graft of the last bucket", [9, 1 << 63]),
    ("ask for identities", [22, [A1, A2]]),
    ("identity", [24, [b(1, 200), b(2, 1)]]),
    ("evidence", [26, LOG, CHUNK]),
    ("ask for heads", [28, 3]),
    ("reconcile: a session opens", [30, 2, 1, []]),
    ("reconcile: opens again", [30, 4294967295, 3, []]),
    ("reconcile: all split", [30, 2, 1, [[1, 0, 255, b(7, 128)]]]),
    ("reconcile: one child is not empty", [30, 2, 0, [[8, 0, 128, b(7, 16)]]]),
    ("reconcile: the deepest split", [30, 2, 0, [[(1 << 57) + 5, 0, 3, b(7, 32)]]]),
    ("reconcile: an empty list", [30, 2, 1, [[1, 1, b""]]]),
    ("reconcile: two lists", [30, 2, 1, [[8, 1, b(1, 4)], [15, 1, b(2, 512)]]]),
    ("reconcile: a list, the next one deeper", [30, 2, 1, [[8, 1, b(1, 4)], [72, 1, b(2, 8)]]]),
    ("reconcile: what differs", [30, 2, 1, [[9, 2, [0, 5, 127], [3, 4294967295, (SEQ_MAX << 8) + 255, 4, 0, 0]]]]),
    ("reconcile: all is lacking", [30, 2, 1, [[9, 2, [0], []]]]),
    ("reconcile: more", [30, 2, 1, [[9, 3, [1], [0, 1, 127, SEQ_MAX]]]]),
    ("reconcile: the deepest range", [30, 2, 1, [[(1 << 61) - 1, 1, b(1, 4)]]]),
    ("ask for heads of two logs", [32, [LOG, LOG2]]),
    ("ask for small runs", [34, 2, [[5, (1 << 64) - 1, 0], [4294967295, 0, SEQ_MAX]]]),
    ("runs", [36, [[5, 1, CHUNK], [6, 0, CHUNK], [7, 1, b""]]]),
    ("an odd type that is not known", [125, "whatever", [1, 2]]),
    ("an odd type that is not known, alone", [4294967295]),
    ("an odd type that is not known, cut behind the type", Raw("957d")),
    ("an odd type that is not known, of four billion elements", Raw("ddffffffff7d")),
    ("an odd type that is not known, and what is no value behind it", Raw("937dc1")),
    ("an odd type that is not known, and bytes behind its end", Raw("917dffff")),
]

BAD = [
    ("TRUNCATED", "nothing", Raw("")),
    ("WRONG_TYPE", "no array", 0),
    ("OUT_OF_RANGE", "an empty array", []),
    ("WRONG_TYPE", "a type that is no number", ["hello"]),
    ("OUT_OF_RANGE", "a type beyond 32 bits", [1 << 32]),
    ("OUT_OF_RANGE", "a type below zero", [Raw("ff")]),
    ("NOT_CANONICAL", "a type in a longer form", [Raw("cc00"), 1, 0, KEY]),
    ("BAD_MESSAGE", "an even type that is not known", [38, 1]),
    ("BAD_MESSAGE", "an even type that is not known, of four billion elements", Raw("ddffffffff26")),
    ("NOT_CANONICAL", "an odd type that is not known in an array of a longer form", Raw("dc00027d00")),
    ("NOT_CANONICAL", "an odd type that is not known in a longer form", Raw("92cc7d00")),
    ("OUT_OF_RANGE", "a known type of four billion elements", Raw("ddffffffff01")),
    ("BAD_MESSAGE", "a large even type", [4294967294]),
    ("NOT_CANONICAL", "an array in a longer form", Raw("dc0002" + "0100")),
    ("TRUNCATED", "an array of four billion", Raw("ddffffffff")),
    ("TRAILING", "a byte behind", Raw("92010000")),
    ("OUT_OF_RANGE", "an element too many", [1, 0, 0]),
    ("OUT_OF_RANGE", "an element too few", [1]),
    ("OUT_OF_RANGE", "hello of version 0", [0, 0, 0, KEY]),
    ("OUT_OF_RANGE", "hello of version 65536", [0, 65536, 0, KEY]),
    ("OUT_OF_RANGE", "hello with a short key", [0, 1, 0, b(1, 31)]),
    ("TOO_LARGE", "hello with a long key", [0, 1, 0, b(1, 33)]),
    ("WRONG_TYPE", "hello with a key of text", [0, 1, 0, "k" * 32]),
    ("NOT_CANONICAL", "hello with nil", [0, 1, 0, Raw("c0")]),
    ("NOT_CANONICAL", "hello with a float", [0, 1, Raw("cb3ff0000000000000"), KEY]),
    ("OUT_OF_RANGE", "goodbye with a reason beyond 32 bits", [2, 1 << 32]),
    ("OUT_OF_RANGE", "ping below zero", [1, Raw("e0")]),
    ("OUT_OF_RANGE", "interest of mode 3", [4, 3, []]),
    ("OUT_OF_RANGE", "interest in everything and an author", [4, 1, [A1]]),
    ("OUT_OF_RANGE", "interest in a short author", [4, 2, [b(1, 31)]]),
    ("TRUNCATED", "interest cut", Raw(pack([4, 2, [A1]])[:-1].hex())),
    ("OUT_OF_RANGE", "an empty address record", [5, [b""]]),
    ("TOO_LARGE", "an address record of 1025 bytes", [5, [b(1, 1025)]]),
    ("TOO_LARGE", "17 address records", [5, [b(1, 1)] * 17]),
    ("WRONG_TYPE", "an address record of text", [5, ["pnode1x@example.org:7373"]]),
    ("OUT_OF_RANGE", "shuffle without padding", [11, []]),
    ("TOO_LARGE", "shuffle with padding of 2049 bytes", [11, [], b(0, 2049)]),
    ("TOO_LARGE", "shuffle of 17 address records", [11, [b(1, 1)] * 17, b""]),
    ("OUT_OF_RANGE", "invite with a short secret", [13, b(7, 15), A1, ""]),
    ("TOO_LARGE", "invite with a long secret", [13, b(7, 17), A1, ""]),
    ("OUT_OF_RANGE", "invite of a short author", [13, b(7, 16), b(1, 31), ""]),
    ("TOO_LARGE", "invite with a place of 281 bytes", [13, b(7, 16), A1, "x" * 281]),
    ("NOT_UTF8", "invite with a place that is no text", [13, b(7, 16), A1, Raw("a1ff")]),
    ("OUT_OF_RANGE", "invite without a place", [13, b(7, 16), A1]),
    ("OUT_OF_RANGE", "welcome with a short id", [15, b(7, 15), 0]),
    ("OUT_OF_RANGE", "welcome with a verdict beyond 32 bits", [15, b(7, 16), 1 << 32]),
    ("WRONG_TYPE", "interest change without a list", [6, [A1], 0]),
    ("OUT_OF_RANGE", "heads: last is 2", [8, 1, 2, []]),
    ("OUT_OF_RANGE", "heads: session beyond 32 bits", [8, 1 << 32, 1, []]),
    ("OUT_OF_RANGE", "heads: a head of four", [8, 1, 1, [[A1, SET, [[LOG, 7, ID, 0]]]]]),
    ("OUT_OF_RANGE", "heads: no entry and an id", [8, 1, 1, [[A1, SET, [[LOG, 0, ID, 0, 0]]]]]),
    ("OUT_OF_RANGE", "heads: an entry and no id", [8, 1, 1, [[A1, SET, [[LOG, 7, ZERO, 0, 0]]]]]),
    ("OUT_OF_RANGE", "heads: forked at the head", [8, 1, 1, [[A1, SET, [[LOG, 7, ID, 7, 1]]]]]),
    ("OUT_OF_RANGE", "heads: low above the head", [8, 1, 1, [[A1, SET, [[LOG, 7, ID, 0, 8]]]]]),
    ("OUT_OF_RANGE", "heads: seq of 49 bits", [8, 1, 1, [[A1, SET, [[LOG, SEQ_MAX + 1, ID, 0, 0]]]]]),
    ("TOO_LARGE", "heads: a long set hash", [8, 1, 1, [[A1, b(1, 17), []]]]),
    ("OUT_OF_RANGE", "ask for a run of kind 2", [10, 5, LOG, 2, 1, ID, 0, 1, 1]),
    ("OUT_OF_RANGE", "ask from the head with a top", [10, 5, LOG, 0, 1, ZERO, 0, 1, 1]),
    ("OUT_OF_RANGE", "ask from the head with an id", [10, 5, LOG, 0, 0, ID, 0, 1, 1]),
    ("OUT_OF_RANGE", "ask anchored without a top", [10, 5, LOG, 1, 0, ID, 0, 1, 1]),
    ("OUT_OF_RANGE", "ask anchored for nothing", [10, 5, LOG, 1, 9, ID, 9, 1, 1]),
    ("OUT_OF_RANGE", "ask for a run of no bytes", [10, 5, LOG, 1, 9, ID, 8, 1, 0]),
    ("OUT_OF_RANGE", "run: nothing, and more to come", [12, 5, 0, b""]),
    ("TOO_LARGE", "run: a chunk of 66,049 bytes", [12, 5, 1, b(0, 66049)]),
    ("OUT_OF_RANGE", "ask for bodies upside down", [14, 8, LOG, 3, ID, 4]),
    ("OUT_OF_RANGE", "ask for the body of seq 0", [14, 8, LOG, 3, ID, 0]),
    ("OUT_OF_RANGE", "ask for 1,025 bodies", [14, 8, LOG, 1025, ID, 1]),
    ("OUT_OF_RANGE", "ask for bodies without the id of the top", [14, 8, LOG, 3, 3]),
    ("OUT_OF_RANGE", "no bodies, and more to come", [16, 8, 0, LOG, []]),
    ("OUT_OF_RANGE", "bodies descending", [16, 8, 1, LOG, [[5, SALT, b""], [3, SALT, b""]]]),
    ("OUT_OF_RANGE", "a body twice", [16, 8, 1, LOG, [[5, SALT, b""], [5, SALT, b""]]]),
    ("OUT_OF_RANGE", "a body with a short salt", [16, 8, 1, LOG, [[5, b(1, 15), b""]]]),
    ("OUT_OF_RANGE", "push of nothing", [18, b""]),
    ("OUT_OF_RANGE", "announce nothing", [20, []]),
    ("OUT_OF_RANGE", "announce seq 0", [20, [[LOG, 0, ID]]]),
    ("OUT_OF_RANGE", "prune of no bucket", [7, 0]),
    ("OUT_OF_RANGE", "graft without buckets", [9]),
    ("WRONG_TYPE", "graft of a list of buckets", [9, [1]]),
    ("OUT_OF_RANGE", "ask for no identities", [22, []]),
    ("OUT_OF_RANGE", "identity without records", [24, []]),
    ("OUT_OF_RANGE", "identity with an empty record", [24, [b""]]),
    ("OUT_OF_RANGE", "evidence of nothing", [26, LOG, b""]),
    ("OUT_OF_RANGE", "ask for heads below zero", [28, Raw("ff")]),
    ("OUT_OF_RANGE", "reconcile: a flag that is not known", [30, 2, 4, []]),
    ("OUT_OF_RANGE", "reconcile: nothing, and more follows", [30, 2, 0, []]),
    ("OUT_OF_RANGE", "reconcile: no path", [30, 2, 1, [[0, 1, b""]]]),
    ("OUT_OF_RANGE", "reconcile: a path of one bit", [30, 2, 1, [[2, 1, b""]]]),
    ("OUT_OF_RANGE", "reconcile: a path too deep", [30, 2, 1, [[1 << 63, 1, b""]]]),
    ("OUT_OF_RANGE", "reconcile: a split too deep", [30, 2, 1, [[1 << 60, 0, 1, b(7, 16)]]]),
    ("OUT_OF_RANGE", "reconcile: a split without children", [30, 2, 1, [[1, 0, 0, b""]]]),
    ("OUT_OF_RANGE", "reconcile: a fingerprint too few", [30, 2, 1, [[1, 0, 3, b(7, 16)]]]),
    ("TOO_LARGE", "reconcile: a fingerprint too many", [30, 2, 1, [[1, 0, 1, b(7, 32)]]]),
    ("OUT_OF_RANGE", "reconcile: a form that is not known", [30, 2, 1, [[1, 4, [0], []]]]),
    ("OUT_OF_RANGE", "reconcile: a split of three elements", [30, 2, 1, [[1, 0, 0]]]),
    ("OUT_OF_RANGE", "reconcile: a list of four elements", [30, 2, 1, [[1, 1, b"", []]]]),
    ("OUT_OF_RANGE", "reconcile: a list of parts", [30, 2, 1, [[1, 1, b(1, 3)]]]),
    ("TOO_LARGE", "reconcile: a list too long", [30, 2, 1, [[1, 1, b(1, 516)]]]),
    ("OUT_OF_RANGE", "reconcile: nothing differs", [30, 2, 1, [[1, 2, [], []]]]),
    ("OUT_OF_RANGE", "reconcile: no more", [30, 2, 1, [[1, 3, [], []]]]),
    ("OUT_OF_RANGE", "reconcile: an index twice", [30, 2, 1, [[1, 2, [3, 3], []]]]),
    ("OUT_OF_RANGE", "reconcile: indexes that descend", [30, 2, 1, [[1, 2, [4, 3], []]]]),
    ("OUT_OF_RANGE", "reconcile: an index beyond a list", [30, 2, 1, [[1, 2, [128], []]]]),
    ("OUT_OF_RANGE", "reconcile: an item of two numbers", [30, 2, 1, [[1, 2, [], [0, 1]]]]),
    ("OUT_OF_RANGE", "reconcile: items that descend", [30, 2, 1, [[1, 2, [], [1, 1, 1, 0, 1, 1]]]]),
    ("OUT_OF_RANGE", "reconcile: a tag beyond 32 bits", [30, 2, 1, [[1, 2, [], [0, 1 << 32, 1]]]]),
    ("OUT_OF_RANGE", "reconcile: more of nothing", [30, 2, 1, [[1, 3, [], [0, 0]]]]),
    ("OUT_OF_RANGE", "reconcile: a range twice", [30, 2, 1, [[8, 1, b""], [8, 1, b""]]]),
    ("OUT_OF_RANGE", "reconcile: ranges that descend", [30, 2, 1, [[9, 1, b""], [8, 1, b""]]]),
    ("OUT_OF_RANGE", "reconcile: a range in another", [30, 2, 1, [[8, 1, b""], [64, 1, b""]]]),
    ("OUT_OF_RANGE", "reconcile: all, and what comes after", [30, 2, 1, [[1, 1, b""], [15, 1, b""]]]),
    ("TOO_LARGE", "reconcile: too many ranges", [30, 2, 1, [[4096 + i, 1, b""] for i in range(65)]]),
    ("OUT_OF_RANGE", "ask for heads of no log", [32, []]),
    ("OUT_OF_RANGE", "ask for no small run", [34, 2, []]),
    ("OUT_OF_RANGE", "ask for a small run of two elements", [34, 2, [[5, 1]]]),
    ("OUT_OF_RANGE", "no runs", [36, []]),
    ("OUT_OF_RANGE", "runs: nothing, and more follows", [36, [[5, 0, b""]]]),
]


def fields(value):
    return value.hex() if isinstance(value, bytes) else list(map(fields, value)) if isinstance(value, list) else value


def main():
    print("# Messages, SPEC 9: verdict, what it is, the bytes, and for good ones the fields as JSON")
    print("# (bytes as hex; IGNORED is an odd type that is not known). Written by make_wire.py.")
    for name, message in GOOD:
        verdict = "IGNORED" if "odd type" in name else "OK"
        shown = "-" if isinstance(message, Raw) else json.dumps(fields(message))
        print(verdict, name, pack(message).hex(), shown, sep="\t")
    for verdict, name, message in BAD:
        data = pack(message)
        if len(data) <= 4096:
            print(verdict, name, data.hex() or "-", "-", sep="\t")


def compare(path):
    """0 when the file is what would be written."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        main()
    with open(path, encoding="utf-8") as file:
        return 0 if file.read() == written.getvalue() else 1


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit(compare(sys.argv[1]))
    main()
