"""Texts that are trouble elsewhere come back byte for byte, and reach no terminal raw."""
import json
import os
import re

from .ledger import SOURCE, check, lines, parley, row

# C0 and C1 controls but newline, and what changes the direction of text.
FORBIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

def walk_naughty(home):
    naughty = json.load(open(os.path.join(SOURCE, "tests/data/naughty-strings.json"), encoding="utf-8"))
    texts = [t for t in naughty if t != ""]
    feed = "".join(json.dumps({"text": t, "tags": ["naughty"]}) + "\n" for t in texts).encode()
    row("naughty strings by --ndjson", 0, "post", "--ndjson", stdin=feed, home=home)
    got = lines(row("naughty strings back", 0, "timeline", "--tag", "naughty", "--limit", "0", "--json", home=home))
    check("equal by --ndjson", sorted(p["text"] for p in got) == sorted(texts))
    by_argument, by_input = [], []
    for text in texts:
        if "\x00" not in text and len(text) < 100000 and text != "-":
            by_argument.append((text, parley("post", "--json", "--tag", "naughty", "--", text, home=home)))
        by_input.append((text, parley("post", "--json", "--tag", "naughty", "-", stdin=text.encode(), home=home)))
    check("each is taken", all(d.returncode == 0 for _, d in by_argument + by_input),
          [(t, d.stderr) for t, d in by_argument + by_input if d.returncode != 0][:3])
    got = {p["post"]: p["text"] for p in lines(row("all back", 0, "timeline", "--tag", "naughty",
                                                   "--limit", "0", "--json", home=home))}
    for name, made in (("post --", by_argument), ("post -", by_input)):
        wrong = [t for t, d in made if got.get(json.loads(d.stdout or b"{}").get("post")) != t]
        check(f"equal by {name}", not wrong, wrong[:3])
    done = parley("timeline", "--tag", "naughty", "--limit", "0", home=home)
    text = done.stdout.decode("utf-8")
    check("words hold no control and no bidirectional control", not FORBIDDEN.search(text),
          repr(FORBIDDEN.findall(text)[:5]))
    text = parley("timeline", "--tag", "naughty", "--limit", "0", "--json", home=home).stdout.decode("utf-8")
    check("nor does JSON", not FORBIDDEN.search(text), repr(FORBIDDEN.findall(text)[:5]))
