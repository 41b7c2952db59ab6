"""The machine, and what it does by itself: the baselines that everything is compared with."""
import json
import os
import platform
import subprocess
import time

from report import figures, keep, say

REST_S, REST_MAX_S = 1, 60  # quiet for so long; a merge of the largest tables takes half a second


def describe(folder):
    cpu = "?"
    for line in open("/proc/cpuinfo", encoding="ascii", errors="replace"):
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    memory = next(int(line.split()[1]) // 1024 for line in open("/proc/meminfo", encoding="ascii")
                  if line.startswith("MemTotal"))
    say("machine", cpu=cpu, cores=os.cpu_count(), memory_mib=memory, kernel=platform.release(),
        load=os.getloadavg()[0], folder=str(folder))


def sync_latency(folder, count=300):
    """fdatasync of one appended page: what a durable answer waits for at least."""
    spent = []
    handle = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY)
    for _ in range(count):
        os.write(handle, b"x" * 4096)
        began = time.perf_counter()
        os.fdatasync(handle)
        spent.append((time.perf_counter() - began) * 1e3)
    os.close(handle)
    spent.sort()
    figures["sync"], figures["sync99"] = spent[count // 2], spent[count * 99 // 100]
    say("fdatasync", p50_ms=round(figures["sync"], 3), p99_ms=round(figures["sync99"], 3))


def lines_of(program, *words):
    """What a bench program printed, by name."""
    done = subprocess.run([str(program), *map(str, words)], check=True, capture_output=True,
                          text=True)
    return {line["bench"]: line for line in map(json.loads, done.stdout.splitlines())}


def rules(build, runs):
    """Signature checks and entries judged in runs, on one core."""
    checks, judged = [], []
    for _ in range(runs):
        said = lines_of(build / "tools" / "bench" / "crypto_bench")
        checks.append(said["signature_checks"]["per_second"])
        judged.append(said["run_entries_verified"]["per_second"])
    keep("checks", checks, 0)
    keep("judged_per_second", judged, 0)


def reconciliation(build, scale):
    """What catching up takes on the wire, by how many of how many logs differ."""
    sizes = [1000, 0, 1000, 100] if scale > 1 else []
    subprocess.run([str(build / "tools" / "bench" / "reconcile_bench"), *map(str, sizes)],
                   check=True)


def store(build, folder, count):
    subprocess.run([str(build / "tools" / "bench" / "store_ops_bench"),
                    str(folder / f"store-{count}"), str(count)], check=True)


def disk_bytes(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def rest(database):
    """Waits until the database merges nothing any more: what is being merged is mapped for that,
    and written twice."""
    end, quiet_since, last = time.monotonic() + REST_MAX_S, time.monotonic(), None
    while time.monotonic() < min(end, quiet_since + REST_S):
        try:
            now = sorted((f.name, f.stat().st_size) for f in database.iterdir())
        except FileNotFoundError:
            now = None  # one went just then
        if now != last:
            last, quiet_since = now, time.monotonic()
        time.sleep(0.05)


def rss_bytes(process):
    """Resident, and what of it is memory of its own and no file's."""
    status = dict(line.split(":", 1) for line in open(f"/proc/{process.pid}/status", encoding="ascii"))
    return tuple(int(status[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon"))
