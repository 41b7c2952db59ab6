"""A full disk: read-only with a clear word, and by itself back when there is space."""
import os
import subprocess
import sys
import tempfile

import nodes
from nodes import lines_of_posts, run, wait_until


def mounted(folder):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", folder],
                          capture_output=True).returncode == 0


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


def a_full_disk_is_read_only_and_recovers(scratch):
    home = scratch.home("unused")
    home.path = nodes.pathlib.Path(FOLDER) / "home"
    home.init().start("--log", "info")
    home.parley("post", "--ndjson", text=lines_of_posts(100))
    filler = os.path.join(FOLDER, "filler")
    fill(filler)
    said = home.parley("post", "--ndjson", text=lines_of_posts(20000), status=None)
    acknowledged = 100 + said.count("post1")
    wait_until(lambda: not home.json("status")[0]["writable"], "read-only")
    assert home.json("status")[0]["state"] == "disk_full"
    shown = home.json("timeline", "--limit", "0")
    assert len(shown) == acknowledged and shown[-1]["text"] == "post 0", (len(shown), acknowledged)
    assert "read-only" in home.log() and "the disk is full" in home.log()
    os.unlink(filler)
    wait_until(lambda: home.json("status")[0]["writable"], "writable again", 15)
    home.parley("post", "after")
    assert home.json("status")[0]["entries"] >= acknowledged + 1
    assert home.end() == 0
    home.start()
    assert home.json("status")[0]["entries"] >= acknowledged + 1
    assert home.end() == 0


FOLDER = tempfile.mkdtemp(prefix="parley-test-full-")
if os.geteuid() != 0 or not mounted(FOLDER):
    os.rmdir(FOLDER)
    print("1..0 # SKIP a small file system cannot be mounted here")
    sys.exit(0)
try:
    run(a_full_disk_is_read_only_and_recovers)
finally:
    subprocess.run(["umount", FOLDER], check=True)
    os.rmdir(FOLDER)
