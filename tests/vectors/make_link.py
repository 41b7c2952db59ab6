#!/usr/bin/env python3
"""Writes link.txt: two conversations over a link with fixed keys and chance, from SPEC 8 and the
papers it names and from nothing of the C code; no packages. Slow, and not for secrets.

Usage: make_link.py > link.txt, or make_link.py link.txt to compare.
"""

import contextlib
import hashlib
import hmac
import io
import struct
import sys

P = 2**255 - 19


# ---- X25519 (RFC 7748) and Ed25519's public keys (RFC 8032) -----------------------------------


def inverse(x):
    return pow(x, P - 2, P)


def x25519(secret, point):
    k = int.from_bytes(clamp(secret), "little")
    u = int.from_bytes(point, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b = x2 + z2, x2 - z2
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        da, cb = (x3 - z3) * a % P, (x3 + z3) * b % P
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    shared = (x2 * inverse(z2) % P).to_bytes(32, "little")
    assert any(shared)
    return shared


def clamp(secret):
    data = bytearray(secret)
    data[0] &= 248
    data[31] = data[31] & 127 | 64
    return bytes(data)


BASE_U = (9).to_bytes(32, "little")
D = -121665 * inverse(121666) % P
BASE_Y = 4 * inverse(5) % P


def recover_x(y):
    xx = (y * y - 1) * inverse(D * y * y + 1) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - xx) % P == 0
    return P - x if x % 2 else x


def add(p, q):
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * inverse(1 + t) % P,
        (y1 * y2 + x1 * x2) * inverse(1 - t) % P,
    )


def static_secret(seed):
    """The X25519 secret of an Ed25519 seed."""
    return clamp(hashlib.sha512(seed).digest()[:32])


def node_key(seed):
    """The Ed25519 public key of a seed."""
    k = int.from_bytes(static_secret(seed), "little")
    point, power = (0, 1), (recover_x(BASE_Y), BASE_Y)
    while k:
        if k & 1:
            point = add(point, power)
        power = add(power, power)
        k >>= 1
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def static_public(key):
    """The X25519 public key of an Ed25519 one: u = (1 + y) / (1 - y)."""
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    return ((1 + y) * inverse(1 - y) % P).to_bytes(32, "little")


# ---- ChaCha20, Poly1305 (RFC 8439) and XChaCha20 ------------------------------------------------


def rotate(x, n):
    return (x << n | x >> (32 - n)) & 0xFFFFFFFF


def chacha_rounds(s):
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
        ):
            s[a] = s[a] + s[b] & 0xFFFFFFFF
            s[d] = rotate(s[d] ^ s[a], 16)
            s[c] = s[c] + s[d] & 0xFFFFFFFF
            s[b] = rotate(s[b] ^ s[c], 12)
            s[a] = s[a] + s[b] & 0xFFFFFFFF
            s[d] = rotate(s[d] ^ s[a], 8)
            s[c] = s[c] + s[d] & 0xFFFFFFFF
            s[b] = rotate(s[b] ^ s[c], 7)


CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")


def chacha_block(key, tail):
    """tail: the last four words."""
    start = list(CONSTANTS) + list(struct.unpack("<8I", key)) + list(tail)
    state = list(start)
    chacha_rounds(state)
    return struct.pack("<16I", *(a + b & 0xFFFFFFFF for a, b in zip(state, start)))


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def chacha20(key, nonce, counter, data):
    words = struct.unpack("<3I", nonce)
    stream = b"".join(
        chacha_block(key, (counter + i,) + words) for i in range((len(data) + 63) // 64)
    )
    return xor(data, stream)


def xchacha20(key, nonce, data):
    state = list(CONSTANTS) + list(struct.unpack("<8I", key)) + list(struct.unpack("<4I", nonce[:16]))
    chacha_rounds(state)
    subkey = struct.pack("<8I", *(state[:4] + state[12:]))
    return chacha20(subkey, bytes(4) + nonce[16:], 0, data)


def poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i : i + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def seal(key, number, plain, associated=b""):
    nonce = bytes(4) + struct.pack("<Q", number)
    sealed = chacha20(key, nonce, 1, plain)
    pad = lambda data: data + bytes(-len(data) % 16)
    lengths = struct.pack("<QQ", len(associated), len(sealed))
    one_time = chacha20(key, nonce, 0, bytes(64))[:32]
    return sealed + poly1305(one_time, pad(associated) + pad(sealed) + lengths)


# ---- Noise ------------------------------------------------------------------------------------


def blake2b(data):
    return hashlib.blake2b(data).digest()


def hkdf(chain, data):
    mac = lambda key, text: hmac.new(key, text, hashlib.blake2b).digest()
    key = mac(chain, data)
    first = mac(key, b"\x01")
    return first, mac(key, first + b"\x02")


class Noise:
    """The handshake as somebody who knows all secrets sees it: one state for both sides."""

    def __init__(self, prologue, responder_static):
        self.h = b"Noise_XK_25519_ChaChaPoly_BLAKE2b".ljust(64, b"\0")
        self.ck = self.h
        self.mix_hash(prologue)
        self.mix_hash(responder_static)

    def mix_hash(self, data):
        self.h = blake2b(self.h + data)

    def mix_key(self, shared):
        self.ck, key = hkdf(self.ck, shared)
        self.key, self.number = key[:32], 0

    def seal(self, plain):
        sealed = seal(self.key, self.number, plain, self.h)
        self.number += 1
        self.mix_hash(sealed)
        return sealed


class Direction:
    """Frames, rekeying and the numbering of one direction after the handshake."""

    def __init__(self, key):
        self.key, self.number = key[:32], 0

    def frame(self, plain):
        sealed = seal(self.key, self.number, plain)
        self.number += 1
        if self.number % 1024 == 0:
            self.key = seal(self.key, 2**64 - 1, bytes(32))[:32]
        return sealed

    def message(self, plain):
        sealed = self.frame(len(plain).to_bytes(3, "big"))
        for i in range(0, len(plain), 65519):
            sealed += self.frame(plain[i : i + 65519])
        return sealed


# ---- The vectors ------------------------------------------------------------------------------


def mask(direction, listener_key, r, e):
    key = hashlib.blake2b(
        b"parley mask\0" + bytes([direction]) + listener_key, digest_size=32
    ).digest()
    return r + xchacha20(key, r, e)


def show(key, value):
    print(key, value.hex(), sep="=")


def pattern(start, size):
    return bytes((start + 3 * i) % 256 for i in range(size))


def handshake(prelude):
    dialler_seed, listener_seed = pattern(1, 32), pattern(2, 32)
    dialler_e, listener_e = pattern(3, 32), pattern(4, 32)
    dialler_r, listener_r = pattern(5, 24), pattern(6, 24)
    dialler_key, listener_key = node_key(dialler_seed), node_key(listener_seed)
    s, rs = static_secret(dialler_seed), static_secret(listener_seed)
    s_public, rs_public = x25519(s, BASE_U), x25519(rs, BASE_U)
    assert s_public == static_public(dialler_key) and rs_public == static_public(listener_key)
    e_public, re_public = x25519(dialler_e, BASE_U), x25519(listener_e, BASE_U)

    noise = Noise(b"parley link 1\0" + prelude, rs_public)
    noise.mix_hash(e_public)
    noise.mix_key(x25519(dialler_e, rs_public))
    first = prelude + mask(1, listener_key, dialler_r, e_public) + noise.seal(b"")
    noise.mix_hash(re_public)
    noise.mix_key(x25519(listener_e, e_public))
    second = mask(2, listener_key, listener_r, re_public) + noise.seal(b"")
    third = noise.seal(s_public)
    noise.mix_key(x25519(s, re_public))
    third += noise.seal(b"")
    keys = hkdf(noise.ck, b"")

    for side, values in (
        ("dialler", (dialler_seed, dialler_key, s_public, dialler_e, dialler_r)),
        ("listener", (listener_seed, listener_key, rs_public, listener_e, listener_r)),
    ):
        for name, value in zip(("seed", "node_key", "static", "ephemeral", "r"), values):
            show(f"{side}.{name}", value)
    show("prelude", prelude)
    for name, value in (("first", first), ("second", second), ("third", third)):
        show(f"flight.{name}", value)
    show("handshake_hash", noise.h)
    show("dialler.key", keys[0][:32])
    show("listener.key", keys[1][:32])
    return Direction(keys[0]), Direction(keys[1]), dialler_key, listener_key


def conversation(prelude, is_long):
    dialler, listener, dialler_key, listener_key = handshake(prelude)

    def say(side, direction, plain):
        show(f"{side}.message", plain)
        show(f"{side}.sealed", direction.message(plain))

    say("dialler", dialler, bytes.fromhex("94000100c420") + dialler_key)
    say("listener", listener, bytes.fromhex("94000103c420") + listener_key)
    say("dialler", dialler, bytes.fromhex("93040190"))
    if is_long:
        for token in range(509):
            dialler.message(b"\x92\x01" + (bytes([token]) if token < 128 else b"\xcc" + bytes([token])
                            if token < 256 else b"\xcd" + token.to_bytes(2, "big")))
        show("dialler.pings", (509).to_bytes(2, "big"))
        large = bytes((7 * i + i // 251) % 256 for i in range(67584))
        sealed = dialler.message(large)
        show("dialler.large", len(large).to_bytes(3, "big"))
        show("dialler.large_sealed", len(sealed).to_bytes(3, "big"))
        show("dialler.large_hash", hashlib.blake2b(sealed, digest_size=32).digest())
        show("dialler.key", dialler.key)
    say("dialler", dialler, bytes.fromhex("920200"))
    say("listener", listener, bytes.fromhex("920200"))
    print()


def main():
    print("""\
# Conversations over a link, SPEC 8, line by line in order; key=hex, a blank line between two.
# static: the node key as X25519. key: of that side's sealing direction. dialler.pings: so many
# pings with the tokens 0, 1, 2, ... are sealed in between. dialler.large: the size of a message
# whose byte i is (7 i + i / 251) mod 256, then the size and the BLAKE2b-256 of its sealed form; the
# key is replaced inside of it. Written by make_link.py.
""")
    conversation(b"parley.example/x", True)
    conversation(b"", False)


def compare(path):
    """0 when the file is what would be written."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        main()
    with open(path, encoding="utf-8") as file:
        return 0 if file.read() == written.getvalue() else 1


if len(sys.argv) == 2:
    sys.exit(compare(sys.argv[1]))
main()
