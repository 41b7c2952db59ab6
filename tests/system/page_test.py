"""The page in a real browser. Skipped where chromium, node or playwright-core is missing:
apt-get install chromium nodejs npm; npm install playwright-core axe-core in any folder, named by
PARLEY_PLAYWRIGHT; without axe-core one scenario looks at nothing. With PARLEY_SHOTS a folder gets pictures of every view."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

from nodes import PARLEY, PARLEYD, Scratch, wait_until

HERE = pathlib.Path(__file__).parent


def skip(words):
    print(f"1..0 # SKIP {words}")
    sys.exit(0)


def main():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    playwright = os.environ.get("PARLEY_PLAYWRIGHT", "")
    if not chromium or not shutil.which("node"):
        skip("no chromium or no node here: apt-get install chromium nodejs")
    if not (pathlib.Path(playwright) / "node_modules" / "playwright-core").is_dir():
        skip("no playwright-core: npm install playwright-core, and PARLEY_PLAYWRIGHT names the folder")
    with Scratch() as scratch:
        ann = scratch.home("ann").init().start()
        bob = scratch.home("bob").init().start(peers=[ann.address])
        new = scratch.home("new").init().start()
        reader = scratch.home("reader").init().start()
        wait_until(lambda: len(bob.json("peers")) == 1, "the link")
        setting = {"parley": PARLEY, "parleyd": PARLEYD, "folder": scratch.folder, "chromium": chromium, "playwright": playwright,
                   "shots": os.environ.get("PARLEY_SHOTS"), "data": str(HERE.parent / "data"),
                   "ann": str(ann.path), "bob": str(bob.path), "new": str(new.path), "reader": str(reader.path)}
        done = subprocess.run(["node", HERE / "page" / "scenarios.mjs", *sys.argv[3:]], input=json.dumps(setting),
                              text=True, check=False)
        for home in (ann, bob, new, reader):
            assert home.end() == 0
    sys.exit(done.returncode)


main()
