"""How quick the page is with 100,000 posts held: prints figures, and fails where one is beyond its
bound. No part of the test run: to make the posts takes half a minute, and what a machine does beside
it counts. Needs what page_test.py needs.

Usage: PARLEY_PLAYWRIGHT=DIR page_speed.py PARLEYD PARLEY [POSTS [SCROLLED]]
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

from nodes import PARLEY, PARLEYD, Scratch

HERE = pathlib.Path(__file__).parent
POSTS = int(sys.argv[3]) if len(sys.argv) > 3 else 100_000
SCROLLED = int(sys.argv[4]) if len(sys.argv) > 4 else 5_000


def lines():
    """Real posts, and as many again of their words in another order; a few words are rare."""
    with open(HERE.parent / "data" / "posts.jsonl", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    words = [word for text in texts[:3000] for word in text.split()]
    chance = random.Random(5)
    begin = int(time.time() * 1000) - POSTS * 60_000
    for number in range(POSTS):
        text = chance.choice(texts) if chance.random() < 0.5 else " ".join(chance.choices(words, k=chance.randint(3, 40)))
        text = (text[:1500] or "x") + (f" rare{number}" if number % 1000 == 0 else "") + (" uncommon" if number % 317 == 0 else "")
        yield json.dumps({"text": text, "time": begin + number * 60_000})


def main():
    with Scratch() as scratch:
        home = scratch.home("writer").init()
        subprocess.run([PARLEY, "--home", home.path, "post", "--ndjson"], input="\n".join(lines()), text=True,
                       stdout=subprocess.DEVNULL, check=True)
        home.start()
        time.sleep(5)  # what a start brings with it is over
        setting = {"parley": PARLEY, "parleyd": PARLEYD, "chromium": shutil.which("chromium"),
                   "playwright": os.environ["PARLEY_PLAYWRIGHT"], "home": str(home.path), "scrolled": SCROLLED,
                   "words": [f"rare{POSTS // 2000 * 1000}", "uncommon", "the", "nosuchwordatall", "President of the", "rare1000 uncommon"]}
        done = subprocess.run(["node", HERE / "page" / "speed.mjs"], input=json.dumps(setting), text=True, check=False)
        home.end()
    sys.exit(done.returncode)


main()
