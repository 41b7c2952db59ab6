#!/usr/bin/env python3
"""Writes reconcile.txt: whole sessions of two sides, from SPEC 11 and from nothing of the C code.

Usage: make_reconcile.py > reconcile.txt, or make_reconcile.py reconcile.txt to compare.
"""

import hashlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, __file__.rsplit("/", 1)[0])
from make_wire import pack  # noqa: E402

LEAF = 40  # of the node; each side's own choice
LIST_MAX = 128
RANGES_MAX = 64
MASK = (1 << 64) - 1


def rotate(value, bits):
    return (value << bits | value >> (64 - bits)) & MASK


def siphash128(key, data):
    """SipHash-2-4 with 128 bits of output, by its reference."""
    k0, k1 = (int.from_bytes(key[i:i + 8], "little") for i in (0, 8))
    v = [0x736F6D6570736575 ^ k0, 0x646F72616E646F6D ^ k1 ^ 0xEE, 0x6C7967656E657261 ^ k0,
         0x7465646279746573 ^ k1]

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    whole = len(data) - len(data) % 8
    words = [data[i:i + 8] for i in range(0, whole, 8)]
    words.append(data[whole:].ljust(7, b"\0") + bytes([len(data) & 0xFF]))
    for word in words:
        value = int.from_bytes(word, "little")
        v[3] ^= value
        rounds(2)
        v[0] ^= value
    v[2] ^= 0xEE
    rounds(4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(4)
    return first.to_bytes(8, "little") + (v[0] ^ v[1] ^ v[2] ^ v[3]).to_bytes(8, "little")


class Item:
    def __init__(self, key, name, seq, id_, forked, set_hash):
        self.line = (name, seq, id_, forked, set_hash)
        self.place = int.from_bytes(siphash128(key, name)[:8], "big")
        state = siphash128(key, name + seq.to_bytes(6, "big") + id_ + forked.to_bytes(6, "big") +
                           set_hash)
        self.state = int.from_bytes(state, "big")
        self.short = state[:4]
        self.tag = self.place & 0xFFFFFFFF
        self.seq = 0 if forked else seq
        self.set = set_hash[0]


class Side:
    def __init__(self, items):
        self.items = sorted(items, key=lambda item: item.place)
        self.findings = []

    def within(self, path):
        bits = path.bit_length() - 1
        return [i for i in self.items if (1 << bits | i.place >> (64 - bits)) == path]

    def own(self, path, most=LEAF):
        here = self.within(path)
        if len(here) <= most or path.bit_length() > 60:
            return [path, 1, b"".join(i.short for i in here[:LIST_MAX])]
        return self.split(path)

    def sums(self, path):
        return {child: sum(i.state for i in here) % (1 << 128)
                for child in range(8) for here in [self.within(path * 8 + child)] if here}

    def split(self, path):
        sums = self.sums(path)
        return [path, 0, sum(1 << child for child in sums),
                b"".join(value.to_bytes(16, "big") for _, value in sorted(sums.items()))]

    def answer(self, form):
        path, kind = form[:2]
        if kind == 0:
            values = [form[3][i:i + 16] for i in range(0, len(form[3]), 16)]
            theirs = dict(zip([c for c in range(8) if form[2] >> c & 1],
                              [int.from_bytes(value, "big") for value in values]))
            ours = self.sums(path)
            return [self.own(path * 8 + c) for c in range(8) if theirs.get(c) != ours.get(c)]
        if kind == 1:
            return self.answer_list(path, [form[2][i:i + 4] for i in range(0, len(form[2]), 4)])
        if kind == 2:
            return self.answer_differ(path, form[2], form[3])
        here = self.within(path)
        for index in form[2]:
            self.findings.append(("asked", here[index]))
        for index, seq in zip(form[3][::2], form[3][1::2]):
            if seq > here[index].seq:
                self.findings.append((f"above {seq}", here[index]))
        return []

    def answer_list(self, path, listed):
        here = self.within(path)
        if len(here) > LIST_MAX:
            return [self.split(path)]
        left, items = list(range(len(listed))), []
        for index, item in enumerate(here):
            same = next((j for j in left if listed[j] == item.short), None)
            if same is None:
                items += [index, item.tag, item.seq << 8 | item.set]
            else:
                left.remove(same)
        return [[path, 2, left, items]] if left or items else []

    def answer_differ(self, path, lacks, items):
        here = self.within(path)
        lacked = [here[index] for index in lacks]
        whole, more = [], []
        for index, tag, state in zip(items[::3], items[1::3], items[2::3]):
            own = next((i for i in lacked if i.tag == tag), None)
            seq, set_byte = state >> 8, state & 0xFF
            if own is None:
                whole.append(index)
                continue
            lacked.remove(own)
            is_ordered = own.seq and seq and own.seq != seq and own.set == set_byte
            if is_ordered and seq > own.seq:
                self.findings.append((f"above {seq}", own))
            elif is_ordered:
                more += [index, own.seq]
            else:
                self.findings.append((f"other {seq}", own))
                whole.append(index)
        self.findings += [("absent", item) for item in lacked]
        return [[path, 3, whole, more]] if whole or more else []


def some(label, size):
    return hashlib.blake2b(label.encode(), digest_size=size).digest()


def make_items(key, label, count, change):
    """Two sides with the same items, but for what change says of each."""
    sides = ([], [])
    for number in range(count):
        name = f"{label} {number}"
        line = [some(name, 32), 1 + number * 37 % 5000, some(name + " id", 32), 0,
                some(name + " set", 16)]
        other = list(line)
        what = change(number)
        if what in ("above", "below"):
            other[1] += 70000
            other[2] = some(name + " new", 32)
        if what == "fork":
            other[3] = other[1] + 1
        if what == "set":
            other[4] = some(name + " records", 16)
        if what == "id":
            other[2] = some(name + " branch", 32)
        lines = (other, line) if what == "below" else (line, other)
        for side, absent in ((0, "absent"), (1, "alone")):
            if what != absent:
                sides[side].append(Item(key, *lines[side]))
    return sides


def say(name, key, items):
    sides = [Side(side) for side in items]
    print(f"session\t{name}\t{key.hex()}")
    for number, side in enumerate(sides):
        for item in side.items:
            name_, seq, id_, forked, set_hash = item.line
            print(f"item\t{number}\t{name_.hex()}\t{seq}\t{id_.hex()}\t{forked}\t{set_hash.hex()}")
    speaker, ranges = 0, [sides[0].own(1)]
    while True:
        pieces = [ranges[i:i + RANGES_MAX] for i in range(0, len(ranges), RANGES_MAX)] or [[]]
        for number, piece in enumerate(pieces):
            last = number + 1 == len(pieces)
            print(f"says\t{speaker}\t{pack([30, 2, int(last), piece]).hex()}")
        is_over = all(piece[1] == 3 for piece in ranges)
        speaker = 1 - speaker
        ranges = [answer for piece in ranges for answer in sides[speaker].answer(piece)]
        if is_over:
            break
    for number, side in enumerate(sides):
        for finding, item in side.findings:
            print(f"finds\t{number}\t{item.line[0].hex()}\t{finding}")


KINDS = ["above", "below", "fork", "set", "id", "absent", "alone"]
SESSIONS = [
    ("nothing on either side", 0, lambda number: "same"),
    ("the same", 45, lambda number: "same"),
    ("one of each kind in a list", 20, lambda number: (KINDS + ["same"] * 13)[number]),
    ("one side has nothing", 140, lambda number: "absent"),
    ("the other side has nothing", 140, lambda number: "alone"),
    ("split twice", 330, lambda number: KINDS[number // 40 % 7] if number % 40 == 0 else "same"),
    ("all differ", 60, lambda number: KINDS[number % 7]),
]


def write():
    print("# Sessions of SPEC 11: what the two sides have, all that they say, and what each finds.")
    print("# session: name, key. item: side, log, seq, id, forked seq, set hash, by place.")
    print("# says: side, message. finds: side, log, what. Lists are of at most 40 by choice.")
    for name, count, change in SESSIONS:
        key = some("key of " + name, 16)
        say(name, key, make_items(key, name, count, change))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        import contextlib
        import io
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            write()
        with open(sys.argv[1], encoding="utf-8") as file:
            sys.exit(0 if file.read() == out.getvalue() else f"{sys.argv[1]} is not what is written")
    write()
