"""Bundles and digests: export, import, verify, digest; and what damage gets."""
import json
import os
import re
import subprocess

from .ledger import PARLEY, check, parley, row


def walk_bundles(home, author, scratch):
    path = os.path.join(scratch, "one.bundle")
    done = parley("export", home=home)
    open(path, "wb").write(done.stdout)
    check("export", done.returncode == 0 and done.stdout.startswith(b"parley1\n"), done.stderr)
    row("verify", 0, "verify", path, out="^good: [0-9]+ entries")
    row("verify -", 0, "verify", "-", stdin=done.stdout)
    verdict = json.loads(row("verify --json", 0, "verify", "--json", path))
    check("verify counts", verdict["valid"] is True and verdict["entries"] > 1200, verdict)
    again = parley("export", "--author", author, home=home)
    check("export --author is the same", again.stdout == done.stdout)
    row("export of a stranger", 1, "export", "--author", "parley1nobody", home=home, out="^$")
    piped = subprocess.run(f"'{PARLEY}' --home '{home}' timeline --limit 0 | head -n 1", shell=True,
                           capture_output=True)
    check("who reads but a part is told nothing", piped.stdout.count(b"\n") == 1
          and piped.stderr == b"", piped.stderr)
    row("verify what is not there", 4, "verify", os.path.join(scratch, "none"))
    damaged = bytearray(done.stdout)
    damaged[len(damaged) // 2] ^= 1
    row("verify one flipped bit", 1, "verify", "-", stdin=bytes(damaged))
    row("verify a cut", 1, "verify", "-", stdin=done.stdout[:-10])
    row("verify a byte too many", 1, "verify", "-", stdin=done.stdout + b"x")
    row("verify nothing", 1, "verify", "-")
    reader = os.path.join(scratch, "importer")
    row("init of a reader", 0, "init", "--json", home=reader)
    taken = json.loads(row("import", 0, "import", "--json", path, home=reader))
    check("import counts", taken["added"] == verdict["entries"], taken)
    taken = json.loads(row("import again", 0, "import", "--json", path, home=reader))
    check("nothing is new twice", taken["added"] == 0, taken)
    mine = row("digest", 0, "digest", author, home=home)
    check("digests agree", mine == row("digest", 0, "digest", author, home=reader)
          and re.fullmatch(r"[0-9a-f]{64}\n", mine), mine)
    cutter = os.path.join(scratch, "cutter")
    row("init of another reader", 0, "init", "--json", home=cutter)
    row("import what is damaged", 1, "import", "-", stdin=bytes(damaged), home=cutter)
    row("import what is cut", 1, "import", "-", stdin=done.stdout[:-10], home=cutter)
