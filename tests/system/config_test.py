"""parleyd's configuration file: what it refuses and with which words, what SIGHUP changes while the
node runs, and that a wrong file changes nothing."""
import itertools
import os
import random
import signal
import socket
import subprocess

from nodes import PARLEYD, refused, run, wait_until


def ports_of_nobody():
    """Below those that the system gives away by itself: what was free a moment ago could else be
    another process's, or the near end of the very connection that asks whether it is open."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        lowest = int(file.read().split()[0])
    assert lowest > 10000, f"the system gives away ports from {lowest} on"
    start = random.randrange(10000, lowest)
    return itertools.chain(range(start, lowest), range(10000, start))


PORTS = ports_of_nobody()


def free_port():
    """One that no other test has either: on all addresses, since one test listens on all."""
    for port in PORTS:
        try:
            socket.create_server(("", port)).close()
            return port
        except OSError:
            continue
    raise AssertionError("no port is free")


def is_open(port):
    """A machine with more to do than it can may be slow to answer, either way."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=30).close()
        return True
    except (ConnectionRefusedError, ConnectionResetError):  # or closed while this one waited
        return False


def reload(home, text, *expected):
    """Writes the file, sends SIGHUP, and waits for a line with each of the words."""
    (home.path / "parleyd.conf").write_text(text)
    before = len(home.log())
    home.process.send_signal(signal.SIGHUP)
    for words in expected:
        wait_until(lambda: words in home.log()[before:], f"{words!r} in {home.log()[before:]}")
    return home.log()[before:]


def every_wrong_file_is_named_with_its_line(scratch):
    home = scratch.home("a").init()
    config = home.path / "parleyd.conf"
    good = "# a comment\n/* one of\n two lines */ log = info // tail\n\n"
    wrong = [("lisen = :7373\n", "5: no such key: lisen; did you mean listen?"),
             ("colour = red\n", "5: no such key: colour\n"),
             ("log: info\n", "5: no such key: log:; did you mean log?"),
             ("hops 2\n", "5: missing equal sign"),
             ("hops = 12\n", "5: hops = 12: a number from 1 to 9"),
             ("listen = {\"127.0.0.1:1\",\n# \"\n\"nowhere\"}\n", "7: listen = nowhere: HOST:PORT"),
             ("peer = pnode1x@192.0.2.1:1\n", "5: peer = ...: "),
             ("pnode1x@192.0.2.1:1\n", "5: a value without a key"),
             ("\n\nlog = debug\n", "7: log = debug: stands in the file twice"),
             ("relay = perhaps\n", "5: relay = perhaps: yes or no"),
             ("discover = perhaps\n", "5: discover = perhaps: yes or no"),
             ("advertise = nowhere\n", "5: advertise = nowhere: HOST:PORT"),
             ("erase-after = 2y\n", "5: erase-after = 2y: a time"),
             ("quota = 20X\n", "5: quota = 20X: a size from 1M"),
             ("quota = 1000\n", "5: quota = 1000: a size from 1M"),
             ("home = /tmp\n", "5: home = /tmp: cannot be set by the file that lies in the home"),
             ("hops = \n\n", "6: the file ends where"),
             ("api = \"unfinished\n", "5: the file ends where"),
             ("\x1b31m = 1\n", "5: no such key: ?31m"),
             ("hops = 2\n\0\n", "6: a byte that is zero")]
    for text, words in wrong:
        config.write_text(good + text)
        status, said = refused("--home", home.path)
        assert status == 2 and f"parleyd: {config}:{words}" in said and said.count("\n") == 1, said
    config.write_text("#" * (128 * 1024) + "\n")
    status, said = refused("--home", home.path)
    assert status == 2 and f"{config}:1: larger than 128 KiB" in said, said
    status, said = refused("--config", home.path / "none")
    assert status == 2 and str(home.path / "none") in said, said


def the_example_has_every_key_and_can_be_read(scratch):
    home = scratch.home("a").init()
    example = subprocess.run([PARLEYD, "--print-config"], capture_output=True, text=True, check=True)
    assert (home.path / "parleyd.conf").read_text() == example.stdout
    lines = example.stdout.splitlines()
    assert all(line.startswith("#") for line in lines if line)
    keys = [line.split()[0][1:] for line in lines if line[:1] == "#" and line[1:2] not in ("", " ")]
    known = subprocess.run([PARLEYD, "--help"], capture_output=True, text=True, check=True).stdout
    options = {word.split("=")[0].strip(",[")[2:] for word in known.split() if word.startswith("--")}
    once = {"config", "print-config", "same-device"}  # said for one start, and not kept in a file
    assert set(keys) == options - once - {"help", "usage", "version"}, keys
    for key in keys:  # each in force by itself: not all of them fit this machine
        text = [line[1:] for line in lines if line.startswith(f"#{key} = ")]
        config = home.path / "one"
        config.write_text("\n".join(text) + "\nno-more = 1\n")
        status, said = refused("--config", config)
        assert status == 2 and "one:2: no such key: no-more" in said, said


def the_command_line_wins_and_lists_add_up(scratch):
    home = scratch.home("a").init()
    first, second = free_port(), free_port()
    (home.path / "parleyd.conf").write_text(
        f"log = debug\nhops = 3\nlisten = 127.0.0.1:{first}\nlisten = {{'127.0.0.1:{second}'}}\n")
    home.start("--log", "error")
    assert is_open(first) and is_open(second)
    assert len(home.json("status")[0]["listen"]) == 3
    reload(home, "log = info\n")
    wait_until(lambda: not is_open(first), "the listener ends")
    assert home.log() == "", "the command line's level stays"
    assert home.end() == 0


def the_home_can_stand_in_a_file_that_is_named(scratch):
    home = scratch.home("a").init()
    config = home.path.parent / "elsewhere.conf"
    config.write_text(f"home = '{home.path}'\nlisten = 127.0.0.1:0\n")
    node = subprocess.Popen([PARLEYD, "--config", config], stdout=subprocess.PIPE, text=True)
    try:
        assert node.stdout.readline().startswith("ready pnode1")
        assert home.json("status")[0]["state"] == "ok"
    finally:
        node.terminate()
        assert node.wait(timeout=30) == 0
        node.stdout.close()


def a_reload_says_what_changed_and_what_waits(scratch):
    home = scratch.home("a").init().start()
    before = home.json("status")[0]["api"]
    reload(home, "", "warning configuration: read again, nothing is new\n")
    reload(home, "log = info\n", "warning configuration: log: from warning to info\n")
    said = reload(home, "log = info\nhops = 3\nrelay = yes\napi = 127.0.0.1:0\nerase-after = 1d\n",
                  "relay: from the next start")
    for key in ("hops", "api", "erase-after"):
        assert f"configuration: {key}: from the next start" in said, said
    assert not home.json("status")[0]["relay"] and home.json("status")[0]["api"] == before
    reload(home, "log = info\n", "nothing is new")  # what waited was never in force
    os.remove(home.path / "parleyd.conf")
    home.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "log: from info to warning" in home.log(), "without a file, as without words")
    assert home.end() == 0


def how_it_is_found_is_chosen_in_the_page_below_what_is_said(scratch):
    home = scratch.home("a").init().start(listen="0.0.0.0:0")
    config, chosen = home.path / "parleyd.conf", home.path / "chosen.conf"

    def choose(lan, nat=False):
        return home.ask("POST", "/v1/reach", {"lan": lan, "nat": nat})

    def is_announced():
        return home.json("status")[0]["lan"]

    assert is_announced(), "by itself, where it listens beyond this machine"
    status, now = choose(False)
    assert status == 200 and now["lan"] is False and now["nat"] is None and not is_announced(), now
    assert home.end() == 0
    home.start(listen="0.0.0.0:0")
    assert not is_announced(), "for good"
    assert choose(True)[0] == 200 and is_announced()
    kept = chosen.read_text()
    reload(home, "lan = no\n", "configuration: lan: no\n")  # the owner's file goes before it
    status, problem = choose(True)
    assert status == 409 and "lan is said in parleyd.conf" in problem["detail"], problem
    assert chosen.read_text() == kept and not is_announced()
    status, problem = home.ask("POST", "/v1/reach", {"lan": 1, "nat": False})
    assert status == 400 and problem["field"] == "lan", problem
    reload(home, "discover = no\n", "configuration: lan: yes\n")
    assert choose(True)[0] == 409, "who hides says nothing"
    config.unlink()
    assert home.end() == 0
    home.start(listen="127.0.0.1:0")
    status, problem = choose(True)
    assert status == 409 and "where this node is started" in problem["detail"], problem
    assert choose(False)[0] == 200
    assert home.end() == 0


def a_wrong_file_changes_nothing(scratch):
    home = scratch.home("a").init().start()
    port = free_port()
    reload(home, "log = info\n", "to info")
    said = reload(home, f"log = debug\nlisten = 127.0.0.1:{port}\nwhat = 1\n", "stays")
    assert f"error {home.path}/parleyd.conf:3: no such key: what" in said, said
    assert said.count("\n") == 1 and not is_open(port), said
    with socket.create_server(("127.0.0.1", 0)) as taken:
        used = taken.getsockname()[1]
        said = reload(home, f"log = debug\nlisten = {{'127.0.0.1:{port}', '127.0.0.1:{used}'}}\n",
                      "stays")
        assert f"127.0.0.1 port {used}" in said and said.count("\n") == 1, said
    assert not is_open(port) and is_open(int(home.address.rsplit(":", 1)[1]))
    assert home.end() == 0


def listeners_come_and_go(scratch):
    home = scratch.home("a").init()
    port, next_port = free_port(), free_port()
    config = home.path / "parleyd.conf"
    config.write_text(f"listen = 127.0.0.1:{port}\n")
    with open(home.errors, "a", encoding="utf-8") as errors:
        home.process = subprocess.Popen([PARLEYD, "--home", home.path], stdout=subprocess.PIPE,
                                        stderr=errors, text=True)
    assert home.process.stdout.readline().endswith(f"@127.0.0.1:{port}\n")
    with socket.create_connection(("127.0.0.1", port)) as held:
        reload(home, f"listen = 127.0.0.1:{next_port}\n", "listen: 1 now, 1 before")
        assert is_open(next_port) and not is_open(port)
        held.settimeout(0.2)
        try:
            assert held.recv(1) != b"", "who was accepted stays"
        except TimeoutError:
            pass
    # An address that takes in the one that goes.
    reload(home, f"listen = :{next_port}\n", "listen: 1 now, 1 before")
    assert is_open(next_port)
    places = home.json("status")[0]["listen"]
    assert len(places) == 1 and places[0].endswith(f"0.0.0.0:{next_port}"), places
    assert home.end() == 0


def peers_come_and_go_and_are_not_kept(scratch):
    relay = scratch.home("r").start("--relay")
    home = scratch.home("a").init().start()
    reload(home, f"peer = {relay.address}\n", "peer: 1 new or moved, 0 gone")
    wait_until(lambda: len(home.json("peers")) == 1, "the link")
    reload(home, "", "peer: 0 new or moved, 1 gone")
    wait_until(lambda: home.json("peers") == [], "the end of the link")
    reload(home, f"peer = {{'{relay.address}'}}\n", "peer: 1 new")
    wait_until(lambda: len(home.json("peers")) == 1, "the link again")
    assert home.end() == 0
    (home.path / "parleyd.conf").write_text("log = info\n")
    home.start()
    reload(home, "log = info\n", "nothing is new")
    assert "peer connected" not in home.log(), "the file alone named that peer"
    assert home.end() == 0 and relay.end() == 0


def a_list_to_begin_with_is_read(scratch):
    first = scratch.home("first").init().start()
    second = scratch.home("second").init()
    listed = second.path / "bootstrap"
    listed.write_text("# nodes to begin with\n\nnowhere\n")
    status, said = refused("--home", second.path)
    assert status == 2 and f"{listed}:3: KEY@HOST:PORT is expected" in said, said
    listed.write_text(f"# nodes to begin with\n\n  {first.address}  \n")
    second.start()
    wait_until(lambda: len(second.json("peers")) == 1, "the one that is listed is connected")
    second.end()
    listed.unlink()
    other = scratch.home("list").path
    other.write_text(first.address)
    second.start("--bootstrap", str(other))
    wait_until(lambda: len(second.json("peers")) == 1, "the one that is listed is connected")
    assert second.json("peers")[0]["network"] == "machine"
    assert second.json("status")[0]["outbound"] == 1


run(a_list_to_begin_with_is_read,
    every_wrong_file_is_named_with_its_line,
    the_example_has_every_key_and_can_be_read,
    the_command_line_wins_and_lists_add_up,
    the_home_can_stand_in_a_file_that_is_named,
    a_reload_says_what_changed_and_what_waits,
    how_it_is_found_is_chosen_in_the_page_below_what_is_said, a_wrong_file_changes_nothing,
    listeners_come_and_go,
    peers_come_and_go_and_are_not_kept)
