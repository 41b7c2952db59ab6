"""parley doctor: each thing that may be wrong is found, named with what to do, and nothing else is."""
import json
import os
import subprocess

from nodes import PARLEY, run, wait_until


def doctor(home, status, **environment):
    done = subprocess.run([PARLEY, "--home", home.path, "--json", "doctor"], capture_output=True,
                          text=True, timeout=60, env={**os.environ, **environment})
    found = {}
    for line in done.stdout.splitlines():
        row = json.loads(line)
        assert set(row) == {"check", "state", "words"} and row["state"] in ("ok", "note", "bad")
        found[row["check"]] = (row["state"], row["words"])
    bad = [check for check, (state, _) in found.items() if state == "bad"]
    assert done.returncode == status and bool(bad) == (status == 1), (done, found)
    if status == 1:
        assert done.stderr.startswith("parley: ") and done.stderr.count("\n") == 1, done.stderr
    return found


def a_home_that_is_well_is_found_so(scratch):
    home = scratch.home("a").init()
    found = doctor(home, 0)
    assert found["home"] == ("ok", str(home.path)) and found["node"][0] == "note", found
    for check in ("keys", "lease", "config", "store", "version"):
        assert found[check][0] == "ok", (check, found)
    assert found["space"][0] != "bad" and found["clock"][0] != "bad", found
    relay = scratch.home("r").start("--relay")
    home.start(peers=[relay.address])
    wait_until(lambda: home.json("peers"), "the link")
    found = doctor(home, 0)
    for check in ("node", "store", "peers", "version"):
        assert found[check][0] == "ok", (check, found)
    assert "1 connected" in found["peers"][1]
    assert doctor(relay, 0)["keys"][0] == "note"
    assert home.end() == 0 and relay.end() == 0


def what_a_person_reads_has_a_line_each(scratch):
    home = scratch.home("a").init()
    lines = home.parley("doctor").splitlines()
    checks = [line.split()[1] for line in lines]
    assert {"home", "keys", "space", "config", "clock", "node", "store"} <= set(checks), lines
    assert all(line.split()[0] in ("ok", "note", "bad") for line in lines), lines


def each_thing_that_is_wrong_is_named(scratch):
    none = scratch.home("none")
    found = doctor(none, 1)
    assert list(found) == ["home"] and f"parley --home {none.path} init" in found["home"][1], found
    home = scratch.home("a").init()
    os.chmod(home.path, 0o755)
    assert f"chmod 700 {home.path}" in doctor(home, 1)["home"][1]
    os.chmod(home.path, 0o700)
    os.chmod(home.path / "node.key", 0o644)
    assert "node.key" in doctor(home, 1)["keys"][1]
    os.chmod(home.path / "node.key", 0o600)
    key = (home.path / "device.key").read_bytes()
    (home.path / "device.key").write_bytes(key.replace(b"seed ", b"seed 0"))
    assert "device.key" in doctor(home, 1)["keys"][1]
    (home.path / "device.key").write_bytes(key)
    config = home.path / "parleyd.conf"
    config.write_text("\nhop = 2\n")
    assert doctor(home, 1)["config"] == ("bad", f"{config}:2: no such key: hop; did you mean hops?")
    config.unlink()
    assert doctor(home, 0)["config"][0] == "note"
    os.rename(home.path / "db", home.path / "elsewhere")
    assert doctor(home, 1)["store"][0] == "bad"
    os.rename(home.path / "elsewhere", home.path / "db")
    (home.path / "root.key").unlink()
    assert doctor(home, 0)["keys"][0] == "note"


def nothing_is_changed(scratch):
    home = scratch.home("a").init()
    home.parley("post", "a word")

    def names():
        return {path: path.stat().st_mode for path in home.path.iterdir()}
    before, lease = names(), (home.path / "lease").read_bytes()
    digest = home.parley("digest")
    turn = (home.path / "lease").read_bytes()
    doctor(home, 0)
    assert names().keys() >= before.keys() and (home.path / "lease").read_bytes() == turn != lease
    assert home.parley("digest") == digest


def a_command_that_is_nearly_one_is_suggested(_):
    done = subprocess.run([PARLEY, "docter"], capture_output=True, text=True)
    assert done.returncode == 2 and "did you mean doctor?" in done.stderr, done
    done = subprocess.run([PARLEY, "xyz"], capture_output=True, text=True)
    assert done.returncode == 2 and "did you mean" not in done.stderr, done


run(a_home_that_is_well_is_found_so,
    what_a_person_reads_has_a_line_each,
    each_thing_that_is_wrong_is_named,
    nothing_is_changed,
    a_command_that_is_nearly_one_is_suggested)
