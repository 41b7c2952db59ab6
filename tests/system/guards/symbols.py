#!/usr/bin/env python3
"""The built objects of the pure floors import only names of an allowed list.

Usage: symbols.py FLOOR=ARCHIVE...   (floors: proto, core, store; lower ones first)

An include can be forgotten by a reader and a prototype written by hand; what the linker is asked
for cannot lie. So the objects themselves are read, with nm, and the callers of the allocator with
objdump.
"""
import re
import subprocess
import sys

from guard import Tap, floor_of, sources

# Names that read no clock, file, socket, thread or random source and keep no state.
C_PURE = r"""
    mem(cpy|move|set|cmp|chr|mem)|str(len|nlen|cmp|ncmp|chr)|bsearch
    |__(mem(cpy|move|set)|str(cpy|ncpy|cat))_chk
    |__stack_chk_(fail|guard)|__assert_fail|_GLOBAL_OFFSET_TABLE_|__explicit_bzero_chk
"""
# libsodium's functions of their arguments alone. Its key generators, sealed boxes and password
# hashes draw chance or memory by themselves and are left out. sodium_init is the start-up self
# test's: it chooses the implementations for this processor, once, and changes no result.
SODIUM_PURE = r"""
    sodium_init|sodium_(memzero|memcmp|is_zero|compare|increment|add|sub)
    |crypto_generichash(_blake2b)?(_init|_update|_final)?
    |crypto_hash_sha(256|512)(_init|_update|_final)?
    |crypto_sign(_ed25519)?_(detached|verify_detached|seed_keypair)
    |crypto_sign_ed25519_(pk_to_curve25519|sk_to_curve25519|sk_to_pk|sk_to_seed)
    |crypto_scalarmult(_curve25519)?(_base)?
    |crypto_core_(ed25519_is_valid_point|hchacha20)
    |crypto_aead_(x?chacha20poly1305_ietf)_(encrypt|decrypt)(_detached)?
    |crypto_stream_(x?chacha20)(_ietf)?(_xor(_ic)?)?
    |crypto_onetimeauth(_poly1305)?(_init|_update|_final|_verify)?
    |crypto_shorthash(_siphash(x)?24)?
    |crypto_verify_(16|32|64)
"""
ALLOCATOR = {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign", "free"}
ALLOWED = re.compile(f"(?:{C_PURE}|{SODIUM_PURE})$", re.VERBOSE)
# `create` is the one word that allocates, and `free` its pair.
MAY_ALLOCATE = re.compile(r"\w*(create|free)\w*(\.\w+)*$")


def run(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def symbols(archive, option):
    """(object, symbol) for every line of nm."""
    found = []
    for line in run("nm", "-A", "-P", option, archive).splitlines():
        place, symbol = line.split(": ", 1)
        found.append((re.sub(r".*[/\[]([^/\]]+)\]?$", r"\1", place), symbol.split()[0]))
    return found


def allocating_functions(archive):
    """Functions whose code refers to the allocator."""
    found = set()
    function = "?"
    for line in run("objdump", "-dr", archive).splitlines():
        head = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if head:
            function = head.group(1)
            continue
        relocation = re.search(r"\bR_\w+\s+([\w.]+)", line)
        if relocation and relocation.group(1) in ALLOCATOR:
            found.add(function)
    return sorted(found)


def main():
    tap = Tap()
    known = set()
    floors = {floor_of(path) for path in sources(endings=(".c",))} & {"proto", "core", "store"}
    given = {argument.split("=", 1)[0] for argument in sys.argv[1:]}
    tap.claim("every pure floor is looked at", sorted(floors - given))
    for argument in sys.argv[1:]:
        floor, archive = argument.split("=", 1)
        known |= {symbol for _, symbol in symbols(archive, "--defined-only")}
        wanted = symbols(archive, "--undefined-only")
        # The memory store of the tests and the read buffers live on the store's floor.
        extra = ALLOCATOR if floor in ("core", "store") else set()
        tap.claim(f"{floor}: imports only allowed names", sorted(
            {f"{place}: {symbol}" for place, symbol in wanted
             if symbol not in known | extra and not ALLOWED.match(symbol)}))
        if floor == "core":
            tap.claim("core: only create and free touch the allocator", [
                f"{function} allocates" for function in allocating_functions(archive)
                if not MAY_ALLOCATE.match(function)])
    tap.finish()


main()
