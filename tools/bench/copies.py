"""Many posts at once: from a file, between two nodes, to a file."""
import shutil
import subprocess
import time

from api import Api
from machine import disk_bytes, lines_of, rest, rss_bytes
from people import Failed, Person
from report import keep

# Until most is there the node is asked rarely: each answer costs the thread that copies.
POLL_S, POLL_SOON_S, POLL_MOST = 0.02, 0.002, 0.9


def make_bundle(build, folder, authors, posts):
    bundle = folder / f"{authors}x{posts}.parley"
    with open(bundle, "wb") as out:
        subprocess.run([str(build / "tools" / "bench" / "make_bundle"), str(authors), str(posts)],
                       stdout=out, check=True)
    return bundle


def import_once(build, folder, bundle, total, keeps):
    """A new relay from a file. The node, stopped, or None; and posts per second."""
    node = Person(build, folder, f"import-{time.monotonic_ns()}", relay=True)
    node.start()
    try:
        began = time.perf_counter()
        node.parley("import", str(bundle))
        spent = time.perf_counter() - began
        rest(node.home / "db")
    finally:
        node.stop()
    if not keeps:
        shutil.rmtree(node.home)
    return (node if keeps else None), total / spent


def copy_once(build, folder, full, total, want):
    """Everything that a node has to an empty one, over the encrypted link, until it is on disk."""
    empty = Person(build, folder, f"empty-{time.monotonic_ns()}", relay=True)
    try:
        empty.start()
        api = Api(empty.home)
        began = time.perf_counter()
        api.call("POST", "/v1/peers", {"address": full.address})
        while (held := api.entries()) != total:
            if time.perf_counter() - began > 120:
                raise Failed("the copy does not end")
            time.sleep(POLL_S if held < POLL_MOST * total else POLL_SOON_S)
        spent = time.perf_counter() - began
        if want is not None and empty.digest() != want:
            raise Failed("the copy is not the same")
        received = sum(p["received_bytes"] for p in empty.json("peers"))
        api.close()
    finally:
        rest(empty.home / "db")
        empty.stop()
    size = disk_bytes(empty.home)
    shutil.rmtree(empty.home)
    return total / spent, received / total, size / total


def held(person, authors):
    """Every author: the newest posts of the bundle are one of each."""
    return sorted({p["author"] for p in person.json("timeline", "--limit", str(authors))})


def export_once(node, chosen, posts):
    """Author by author through the API, as the command does."""
    api = Api(node.home)
    began = time.perf_counter()
    for author in chosen:
        status, _ = api.call("GET", f"/v1/export?author={author}")
        if status != 200:
            raise Failed(f"an export was answered with {status}")
    spent = time.perf_counter() - began
    api.close()
    return len(chosen) * posts / spent


def serve_once(build, node, total):
    """One link that asks for everything and keeps nothing."""
    said = lines_of(build / "tools" / "bench" / "links", node.address, "serve", total)
    return said["serve"]["per_second"]


def all_of_it(build, folder, authors, posts, runs):
    total = authors * posts
    bundle = make_bundle(build, folder, authors, posts)
    rates, full = [], None
    for i in range(runs):
        node, rate = import_once(build, folder, bundle, total, i == 0)
        full = full or node
        rates.append(rate)
    keep("import_per_second", rates, 0)
    starts, memory, own = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        full.start()
        starts.append(time.perf_counter() - began)
        rest(full.home / "db")  # a start writes what was in its log as a table, and may merge that
        resident, of_its_own = rss_bytes(full.node)
        full.stop()
        memory.append(resident / 1e6)
        own.append(of_its_own / 1e6)
    keep("start_seconds", starts)
    keep("rss_mb", memory, 1)
    keep("rss_of_its_own_mb", own, 1)
    full.start()
    try:
        want = full.digest()
        copies = [copy_once(build, folder, full, total, want) for _ in range(runs)]
        keep("copy_per_second", [c[0] for c in copies], 0)
        keep("wire_bytes_per_post", [c[1] for c in copies], 1)
        keep("disk_bytes_per_post", [c[2] for c in copies], 1)
        keep("serve_per_second", [serve_once(build, full, total) for _ in range(runs)], 0)
        chosen = held(full, authors)
        keep("export_per_second", [export_once(full, chosen, posts) for _ in range(runs)], 0)
    finally:
        full.stop()
