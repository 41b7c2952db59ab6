#!/usr/bin/env python3
"""Figures of this machine, one JSON object a line: what the rules cost, what the store does, and
what two real nodes do. Compare by ratio within one run: machines are noisy.

Usage: bench.py [--build DIR] [--quick]
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
from people import Failed, Person, wait_until  # noqa: E402

EXPORT_AUTHORS = 60  # a command takes 64 of one option


def say(name, **figures):
    print(json.dumps({"bench": name, **figures}), flush=True)


def machine(folder):
    cpu = "?"
    for line in open("/proc/cpuinfo", encoding="ascii", errors="replace"):
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = next(int(line.split()[1]) // 1024 for line in open("/proc/meminfo", encoding="ascii")
                  if line.startswith("MemTotal"))
    say("machine", cpu=cpu, cores=os.cpu_count(), memory_mib=memory, kernel=platform.release(),
        folder=str(folder))


def sync_latency(folder, count=300):
    """fdatasync of one appended page: what a durable answer waits for at least."""
    spent = []
    handle = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    for _ in range(count):
        os.write(handle, b"x" * 4096)
        began = time.perf_counter()
        os.fdatasync(handle)
        spent.append(time.perf_counter() - began)
    os.close(handle)
    spent.sort()
    say("fdatasync", p50_ms=round(spent[count // 2] * 1e3, 3),
        p99_ms=round(spent[count * 99 // 100] * 1e3, 3))


def disk_bytes(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def rss_bytes(process):
    for line in open(f"/proc/{process.pid}/status", encoding="ascii"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def publish(build, folder, clients, posts):
    """Posts through the command and the local API, each acknowledged when it is on disk."""
    writer = Person(build, folder, f"publisher-{clients}")
    writer.make()
    writer.start()
    lines = "".join(json.dumps({"text": f"{n} " + "x" * 195}) + "\n" for n in range(posts)).encode()
    try:
        threads = [threading.Thread(target=writer.parley, args=("post", "--ndjson"),
                                    kwargs={"text": lines}) for _ in range(clients)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - began
        say("publish_synced", clients=clients, posts=posts * clients,
            per_second=round(posts * clients / spent))
    finally:
        writer.stop()


def catch_up(build, folder, authors, posts):
    """A full copy between two processes over the encrypted link, durable at the receiver."""
    bundle = folder / "posts.parley"
    with open(bundle, "wb") as out:
        subprocess.run([str(build / "tools" / "bench" / "make_bundle"), str(authors), str(posts)],
                       stdout=out, check=True)
    total = authors * posts
    full, empty = (Person(build, folder, name, relay=True) for name in ("full", "empty"))
    full.start()
    try:
        began = time.perf_counter()
        full.parley("import", str(bundle))
        say("import", posts=total, per_second=round(total / (time.perf_counter() - began)))
        full.stop()
        began = time.perf_counter()
        full.start()
        say("start_to_ready", seconds=round(time.perf_counter() - began, 3),
            rss_bytes=rss_bytes(full.node))
        want = full.digest()
        began = time.perf_counter()
        empty.start(peers=[full.address])
        wait_until("the copy", lambda: empty.json("status")[0]["entries"] == total)
        spent = time.perf_counter() - began
        if empty.digest() != want:
            raise Failed("the copy is not the same")
        received = sum(p["received_bytes"] for p in empty.json("peers"))
        say("catch_up", authors=authors, posts=total, per_second=round(total / spent),
            wire_bytes_per_post=round(received / total, 1))
        chosen = held(full)[:EXPORT_AUTHORS]
        began = time.perf_counter()
        full.parley("export", *(word for author in chosen for word in ("--author", author)))
        say("export", posts=len(chosen) * posts,
            per_second=round(len(chosen) * posts / (time.perf_counter() - began)))
    finally:
        full.stop()
        empty.stop()
    say("disk", bytes_per_post=round(disk_bytes(empty.home) / total, 1))


def held(person):
    """Every author of whom a post is in the timeline."""
    return sorted({p["author"] for p in person.json("timeline", "--limit", "0")})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path,
                        default=os.environ.get("PARLEY_BUILD", ROOT / "build"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    scale = 10 if options.quick else 1
    os.environ.pop("PARLEY_HOME", None)
    # Beside the build, so that it is the machine's disk and not a file system in memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=build) as name:
        os.environ["XDG_STATE_HOME"] = os.path.join(name, "state")
        folder = pathlib.Path(name)
        machine(folder)
        sync_latency(folder)
        subprocess.run([str(build / "tools" / "bench" / "crypto_bench")], check=True)
        for count in (100_000 // scale, 2_000_000 // scale):
            subprocess.run([str(build / "tools" / "bench" / "store_ops_bench"),
                            str(folder / f"store-{count}"), str(count)], check=True)
        publish(build, folder, 1, 20_000 // scale)
        publish(build, folder, 8, 5_000 // scale)
        catch_up(build, folder, 1000 // scale, 100)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (Failed, subprocess.SubprocessError) as failure:
        sys.exit(f"bench: {failure}")
