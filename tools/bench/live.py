"""Posts one after another: published, to a friend's node, to a thousand peers."""
import json
import subprocess
import threading
import time

from api import Api
from people import Failed, Person, wait_until
from report import figures, keep, say

WARM_POSTS = 20  # before anything is counted


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def publish(build, folder, clients, posts):
    """Posts through the command and the local API, each acknowledged when it is on disk."""
    writer = Person(build, folder, f"publisher-{clients}-{time.monotonic_ns()}")
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
        return posts * clients / (time.perf_counter() - began)
    finally:
        writer.stop()


def one_by_one(build, folder, posts):
    """From the request at one node to the event at another that follows, both warm."""
    writer, reader = (Person(build, folder, name) for name in ("live-writer", "live-reader"))
    for person in (writer, reader):
        person.make()
    writer.start()
    reader.start(peers=[writer.address])
    spent = []
    try:
        reader.parley("follow", writer.author)
        api, events = Api(writer.home), Api(reader.home)
        events.send("GET", "/v1/events")
        events.until(b"\r\n\r\nid: ")  # it begins here
        for n in range(WARM_POSTS + posts):
            text = f"live {n} ".ljust(200, "x")
            began = time.perf_counter()
            api.send("POST", "/v1/posts", json.dumps({"text": text}).encode())
            events.until(f"live {n} ".encode())
            spent.append((time.perf_counter() - began) * 1e3)
            status, _ = api.answer()
            if status >= 300:
                raise Failed(f"a post was answered with {status}")
    finally:
        writer.stop()
        reader.stop()
    spent = spent[WARM_POSTS:]
    keep("live_p50_ms", [percentile(spent, 0.5)])
    keep("live_p99_ms", [percentile(spent, 0.99)])
    say("live", posts=posts, p50_syncs=round(figures["live_p50_ms"] / figures["sync"], 2))


def to_many(build, folder, peers, posts):
    """From the request at a node to the arrival at each of its peers, which are one process."""
    writer = Person(build, folder, "fan-writer")
    writer.make()
    writer.start(options=("--connections", str(peers + peers // 2)))
    asked = []
    try:
        links = subprocess.Popen([str(build / "tools" / "bench" / "links"), writer.address, "fan",
                                  str(peers), str(posts)], stdout=subprocess.PIPE, text=True)
        if links.stdout.readline().strip() != "ready":
            raise Failed("the peers do not connect")
        wait_until("all are connected", lambda: writer.json("status")[0]["peers"] >= peers)
        api = Api(writer.home)
        for n in range(posts):
            asked.append(time.monotonic_ns())
            api.call("POST", "/v1/posts", {"text": f"fan {n} ".ljust(200, "x")})
            time.sleep(0.1)
        arrivals = {}
        for line in links.communicate(timeout=120)[0].splitlines():
            seq, when = map(int, line.split())
            arrivals.setdefault(seq, []).append(when)
    finally:
        writer.stop()
    spent = [(when - began) / 1e6 for began, seq in zip(asked, sorted(arrivals))
             for when in arrivals[seq]]
    keep("fan_p50_ms", [percentile(spent, 0.5)])
    keep("fan_p99_ms", [percentile(spent, 0.99)])
    say("fan", peers=peers, posts=posts, arrivals=len(spent))
