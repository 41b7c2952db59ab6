"""A relay with a leg in each of two networks that cannot reach each other: posts cross, and neither
side ever learns an address of the other."""
import os
import re

from networks import Namespace, go_inside, ip

go_inside("posts cross a relay between two networks")

from nodes import lines_of_posts, run, wait_until  # noqa: E402


class Side(Namespace):
    """A namespace behind one leg of ours: 10.7.N.1 here, 10.7.N.2 there."""

    def __init__(self, number):
        super().__init__(f"leg{number}", f"10.7.{number}.2/24")
        self.here = f"10.7.{number}.1"
        ip("addr", "add", f"{self.here}/24", "dev", f"leg{number}")


# What a sanitizer maps to know which bytes are good: larger than any machine, and none of the words.
SHADOW_BYTES = 1 << 40


def memory_of(process):
    """All that the process could write to: heap, stacks, buffers."""
    with open(f"/proc/{process.pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{process.pid}/mem", "rb") as memory:
        for line in maps:
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if place and "[v" not in line:
                start, end = (int(number, 16) for number in place.groups())
                if end - start < SHADOW_BYTES:
                    memory.seek(start)
                    yield memory.read(end - start)


def files_of(home):
    for folder, _, names in os.walk(home.path):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    yield file.read()
    yield home.log().encode()


def knows(home, secrets):
    """Which of these byte strings stand in the node's files, log or memory."""
    return {secret for data in [*files_of(home), *memory_of(home.process)] for secret in secrets
            if secret in data}


def posts_cross_a_relay_between_two_networks_and_addresses_do_not(scratch):
    sides = Side(1), Side(2)
    try:
        relay = scratch.home("relay")
        relay.start("--relay", "--listen", f"{sides[1].here}:7373", listen=f"{sides[0].here}:7373")
        key = relay.address.partition("@")[0]
        people = [scratch.home(name).init() for name in ("left", "right")]
        for person, side, other in zip(people, sides, reversed(people)):
            person.parley("follow", other.author)
            person.start("--log", "debug", listen=f"{side.there}:7373", within=side.within,
                         peers=[f"{key}@{side.here}:7373"])
        assert not sides[0].reaches(sides[1].there) and not sides[1].reaches(sides[0].there)
        assert sides[0].reaches(sides[0].here)
        for person in people:
            person.parley("post", "--ndjson", text=lines_of_posts(50))
        for person, other in zip(people, reversed(people)):
            wait_until(lambda a=person, b=other: a.parley("digest", b.author) ==
                       b.parley("digest", b.author), "the posts cross")
            assert len(person.json("timeline", "--author", other.author, "--limit", "0")) == 50
        for person, own, other, name in zip(people, sides, reversed(sides), reversed(people)):
            # The search itself works: what a node must know is found by it.
            assert knows(person, {own.here.encode()}) == {own.here.encode()}
            node_key = name.address.partition("@")[0]
            found = knows(person, {other.there.encode(), other.here.encode(), node_key.encode()})
            assert not found, found
    finally:
        for side in sides:
            side.close()


run(posts_cross_a_relay_between_two_networks_and_addresses_do_not)
