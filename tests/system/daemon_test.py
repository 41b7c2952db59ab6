"""parleyd as a process: how it starts, what it refuses and with which words, how it ends."""
import os
import signal
import socket
import stat

from nodes import refused, run, wait_until


def one_line(words):
    return words.endswith("\n") and words.count("\n") == 1 and words.startswith("parleyd: ")


def a_home_without_identity_is_refused_with_the_command(scratch):
    home = scratch.home("none")
    status, words = refused("--home", home.path)
    assert status == 1 and one_line(words) and f"parley --home {home.path} init" in words, words
    assert not home.path.exists()


def wrong_usage_is_status_2(scratch):
    for words in (["--listen", "nowhere"], ["--peer", "a@b:1"], ["--log", "loud"], ["--what"],
                  ["more"], ["--hops", "0"], ["--api", "1"]):
        status, said = refused(*words)
        assert status == 2 and said, words


def it_says_ready_and_stops_at_a_signal(scratch):
    home = scratch.home("a").init()
    for number in (signal.SIGTERM, signal.SIGINT):
        home.start()
        key, _, place = home.address.partition("@")
        assert key.startswith("pnode1") and place.startswith("127.0.0.1:"), home.address
        assert not place.endswith(":0")
        assert home.end(number) == 0
    assert home.log() == ""


def who_stops_says_goodbye(scratch):
    relay = scratch.home("r").start("--relay")
    home = scratch.home("a").init().start("--log", "info", peers=[relay.address])
    wait_until(lambda: len(home.json("peers")) == 1, "the link")
    assert relay.end() == 0
    wait_until(lambda: "peer said goodbye" in home.log(), "the goodbye")
    assert home.end() == 0


def every_listener_is_said(scratch):
    home = scratch.home("a").init().start("--listen", "127.0.0.1:0", "--listen", "[::1]:0")
    others = [home.process.stdout.readline() for _ in range(2)]
    assert "@127.0.0.1:" in others[0] and "@[::1]:" in others[1], others
    assert home.end() == 0


def a_relay_makes_its_own_home_once(scratch):
    home = scratch.home("r").start("--relay")
    first = home.address.split("@")[0]
    assert home.end() == 0
    assert home.start("--relay").address.split("@")[0] == first
    assert home.end() == 0
    for name, mode in (("", 0o700), ("node.key", 0o600), ("marker", 0o600), ("lock", 0o600)):
        assert stat.S_IMODE(os.stat(home.path / name).st_mode) == mode, name


def a_marker_without_database_stops_it(scratch):
    home = scratch.home("r").start("--relay")
    home.end()
    os.rename(home.path / "db", home.path / "elsewhere")
    for relay in (["--relay"], []):
        status, words = refused("--home", home.path, "--listen", "127.0.0.1:0", *relay)
        assert status in (1, 4) and one_line(words), words
        assert not (home.path / "db").exists()
    status, words = refused("--home", home.path, "--relay")
    assert status == 4 and "missing" in words, words


def a_second_process_is_refused(scratch):
    home = scratch.home("a").init().start()
    status, words = refused("--home", home.path, "--listen", "127.0.0.1:0")
    assert status == 4 and one_line(words) and "another process" in words, words
    assert home.end() == 0


def a_port_in_use_is_named(scratch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        home = scratch.home("a").init()
        status, words = refused("--home", home.path, "--listen", f"127.0.0.1:{port}")
    assert status == 4 and one_line(words) and str(port) in words, words


def damaged_and_open_keys_are_named(scratch):
    home = scratch.home("a").init()
    for name in ("node.key", "device.key", "root.key"):
        path = home.path / name
        good = path.read_bytes()
        os.chmod(path, 0o644)
        status, words = refused("--home", home.path, "--listen", "127.0.0.1:0")
        assert status == 1 and one_line(words) and str(path) in words, words
        os.chmod(path, 0o600)
        path.write_bytes(good.replace(b"seed ", b"seed 0"))
        status, words = refused("--home", home.path, "--listen", "127.0.0.1:0")
        assert status == 4 and one_line(words) and str(path) in words, words
        path.write_bytes(good)
    assert home.start().end() == 0


def a_long_path_works(scratch):
    home = scratch.home("/".join(["long" * 12] * 4))
    home.errors = scratch.home("errors").errors
    home.init().start()
    assert len(str(home.path)) > 107
    assert home.json("status")[0]["writable"]
    assert home.end() == 0


def a_prober_gets_no_byte(scratch):
    home = scratch.home("a").init().start("--log", "info")
    port = int(home.address.rsplit(":", 1)[1])
    for rubbish in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(200), os.urandom(70000)):
        with socket.create_connection(("127.0.0.1", port)) as prober:
            prober.settimeout(0.3)
            prober.sendall(rubbish)
            try:
                assert prober.recv(1) == b""
            except (TimeoutError, ConnectionError):
                pass
    assert home.json("status")[0]["peers"] == 0
    assert home.end() == 0


run(a_home_without_identity_is_refused_with_the_command,
    wrong_usage_is_status_2,
    it_says_ready_and_stops_at_a_signal,
    who_stops_says_goodbye,
    every_listener_is_said,
    a_relay_makes_its_own_home_once,
    a_marker_without_database_stops_it,
    a_second_process_is_refused,
    a_port_in_use_is_named,
    damaged_and_open_keys_are_named,
    a_long_path_works,
    a_prober_gets_no_byte)
