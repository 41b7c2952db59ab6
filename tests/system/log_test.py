"""What stands in parleyd's log: a person's words at info, and no address of another node above
debug."""
import os
import re
import socket

from nodes import run, wait_until

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (debug|info|warning|error) \S.*")
AWAY = "127.9.8.7"  # where the other node is, so that nothing else is called so


def words_of(home):
    lines = home.log().splitlines()
    assert all(LINE.fullmatch(line) for line in lines), lines
    return [line.split(" ", 1)[1] for line in lines]


def meet(scratch, level):
    """Two nodes that connect, exchange, fail in each way that there is, and part."""
    relay = scratch.home("r" + level).start("--relay", "--log", level, listen=f"{AWAY}:0")
    place = relay.address.rsplit("@", 1)[1]
    home = scratch.home("a" + level).init()
    home.start("--log", level, peers=[relay.address], listen=f"{AWAY}:0")
    wait_until(lambda: len(home.json("peers")) == 1, "the link")
    home.parley("post", "a word")
    wait_until(lambda: relay.json("status")[0]["entries"] > 0, "the post")
    for rubbish in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(5000)):
        with socket.create_connection(place.rsplit(":", 1)) as prober:
            prober.sendall(rubbish)
    gone = relay.address.rsplit(":", 1)[0] + ":9"
    wrong_key = scratch.home("w" + level).init().json("id")[0]["node_key"]
    home.parley("connect", f"{wrong_key}@{place}", status=None)
    assert relay.end() == 0
    wait_until(lambda: home.json("peers") == [], "the end of the link")
    home.parley("connect", gone, status=None)
    wait_until(lambda: "goodbye" in home.log(), "the goodbye")
    own = home.address.rsplit(":", 1)[1]
    assert home.end() == 0
    return relay, home, (place.rsplit(":", 1)[1], own)


def a_person_can_follow_what_happens_at_info(scratch):
    relay, home, _ = meet(scratch, "info")
    key = relay.address.split("@")[0]
    said = words_of(home)
    assert any(re.fullmatch(rf"info connection \d+ of {key}: peer connected", line)
               for line in said), said
    assert any("serves" in line and str(home.path) in line for line in said), said
    assert said[-1] == "info stopping: SIGTERM" or "goodbye" in said[-1] or "closed" in said[-1]
    assert "info stopping: SIGTERM" in words_of(relay)


def no_address_stands_above_debug(scratch):
    for level in ("info", "debug"):
        relay, home, ports = meet(scratch, level)
        for node, other in ((relay, ports[1]), (home, ports[0])):
            lines = words_of(node)
            assert len(lines) >= 3, lines
            above = [line for line in lines if not line.startswith("debug ")]
            for line in above:
                assert AWAY not in line and not re.search(rf"\b{other}\b", line), line
                assert not re.search(r"\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]", line), line
    assert any(AWAY in line for line in words_of(home)), "debug says where"


run(a_person_can_follow_what_happens_at_info,
    no_address_stands_above_debug)
