"""How figures go with size: the store with posts, memory with logs, live ingest with threads."""
import os
import subprocess

from copies import import_once, make_bundle
from live import publish
from machine import rss_bytes, store
from report import say

STORE_POSTS = (100_000, 500_000, 1_000_000, 2_000_000, 5_000_000)
LOGS = (1_000, 10_000, 100_000)
LOGS_OF_CORE = (1_000, 10_000, 100_000, 1_000_000)
THREADS = (1, 2)


def memory_with_logs(build, folder, scale):
    """A relay that holds one post of each of so many authors, started again. Its tables end at
    65,536 authors and 100,000 logs; a core alone may have larger ones."""
    for logs in LOGS_OF_CORE:
        subprocess.run([str(build / "tools" / "bench" / "memory_bench"), str(logs // scale)],
                       check=True)
    for logs in LOGS:
        logs //= scale
        bundle = make_bundle(build, folder, logs, 1)
        node, rate = import_once(build, folder, bundle, logs, True)
        node.start()
        held, _ = rss_bytes(node.node)
        node.stop()
        say("memory_with_logs", logs=logs, rss_mb=round(held / 1e6, 1),
            bytes_per_log=round(held / logs), import_per_second=round(rate))
        bundle.unlink()


def ingest_with_threads(build, folder, authors):
    """One post of each of many authors: a signature check for each, as live posts cost."""
    bundle = make_bundle(build, folder, authors, 1)
    for threads in THREADS:
        os.environ["UV_THREADPOOL_SIZE"] = str(threads)
        try:
            _, rate = import_once(build, folder, bundle, authors, False)
            say("ingest_with_threads", threads=threads, authors=authors, per_second=round(rate))
        finally:
            del os.environ["UV_THREADPOOL_SIZE"]


def all_of_them(build, folder, scale):
    for posts in STORE_POSTS:
        store(build, folder, posts // scale)
    memory_with_logs(build, folder, scale)
    ingest_with_threads(build, folder, 1000)
    for clients in (1, 2, 4, 8, 16):
        say("publish_with_clients", clients=clients,
            per_second=round(publish(build, folder, clients, 5_000 // scale)))
