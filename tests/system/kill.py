"""kill -9, again and again, over a small network in which publishers post at full speed, the start
of the nodes included: in the end everything converges, nothing acknowledged is missing, and every
log is the one that it was. Usage: kill.py PARLEYD PARLEY [--rounds N] [--publishers N] [--seed S]"""
import argparse
import http.client
import json
import random
import signal
import socket
import subprocess
import threading
import time

import nodes
from nodes import run, wait_until

ROUND_MIN = 50   # acknowledged posts a round, over all publishers
BATCH = 10       # posts in one request: several are under way whenever a node dies
CONVERGE_S = 300


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("parleyd")
    parser.add_argument("parley")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--publishers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


OPTIONS = options()


class SocketConnection(http.client.HTTPConnection):
    """HTTP on the socket in a home."""

    def __init__(self, path):
        super().__init__("parley", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Publisher(threading.Thread):
    """Posts batches as fast as the node takes them. Acknowledged is what was answered with an
    address; a batch whose answer never came may be there or not."""

    def __init__(self, home, name):
        super().__init__(daemon=True)
        self.socket, self.name = str(home.path / "api.sock"), name
        self.number, self.acknowledged, self.stopping = 0, [], False

    def batch(self, connection):
        texts = [f"{self.name} {self.number + n}" for n in range(BATCH)]
        self.number += BATCH
        body = "".join('{"text":"%s"}\n' % text for text in texts)
        connection.request("POST", "/v1/posts/batch", body,
                           {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse().read().splitlines()
        # One answer a line, in order: what was answered is the beginning of what was sent.
        self.acknowledged += texts[:sum(b'"post"' in line for line in answer)]

    def run(self):
        while not self.stopping:
            connection = SocketConnection(self.socket)
            try:
                while not self.stopping:
                    self.batch(connection)
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)
            connection.close()


class Network:
    """A relay, publishers, and a reader who follows them; all know the relay alone."""

    def __init__(self, scratch):
        self.relay = scratch.home("relay").start("--relay")
        self.writers = [scratch.home(f"writer-{n}").init() for n in range(OPTIONS.publishers)]
        self.reader = scratch.home("reader").init()
        self.authors = [writer.author for writer in self.writers]
        self.logs = [writer.json("id")[0]["log"] for writer in self.writers]
        for author in self.authors:
            self.reader.parley("follow", author)
        self.cast = [self.relay, *self.writers, self.reader]
        for home in self.cast[1:]:
            home.start(peers=[self.relay.address])
        self.places = [home.address.rsplit("@", 1)[1] for home in self.cast]

    def words(self, index):
        home = self.cast[index]
        words = [nodes.PARLEYD, "--home", home.path, "--listen", self.places[index]]
        return words + (["--relay"] if home is self.relay else ["--peer", self.relay.address])

    def kill(self, index):
        home = self.cast[index]
        home.process.send_signal(signal.SIGKILL)
        home.process.wait()
        home.process.stdout.close()
        home.process = None

    def start(self, index):
        home = self.cast[index]
        with open(home.errors, "a", encoding="utf-8") as errors:
            home.process = subprocess.Popen(self.words(index), stdout=subprocess.PIPE,
                                            stderr=errors, text=True)

    def wait_for_start(self, index):
        line = self.cast[index].process.stdout.readline()
        assert line.startswith("ready "), f"{self.cast[index].path.name}: {self.cast[index].log()}"


def kill_rounds(network, publishers, chance):
    def acknowledged():
        return sum(len(publisher.acknowledged) for publisher in publishers)
    for number in range(OPTIONS.rounds):
        goal = acknowledged() + ROUND_MIN
        victim = chance.randrange(len(network.cast))
        wait_until(lambda goal=goal: acknowledged() >= goal, f"{ROUND_MIN} posts acknowledged")
        time.sleep(chance.uniform(0, 0.02))
        network.kill(victim)
        while chance.random() < 0.3:  # killed again while it starts
            network.start(victim)
            time.sleep(chance.uniform(0, 0.06))
            network.kill(victim)
        network.start(victim)
        network.wait_for_start(victim)
        if (number + 1) % 50 == 0:
            print(f"# {number + 1} rounds, {acknowledged()} acknowledged", flush=True)


def expect_all(network, publisher, author, log):
    for home in (network.cast[1 + network.authors.index(author)], network.reader):
        posts = home.json("timeline", "--author", author, "--limit", "0")
        held = {post["text"] for post in posts}
        lost = [text for text in publisher.acknowledged if text not in held]
        assert not lost, f"{home.path.name} lost {len(lost)} acknowledged posts: {lost[:3]}"
        assert {post["log"] for post in posts} == {log}, f"{author} goes on in another log"
        assert len(held) == len(posts), f"{author}: a post is there twice"


def killed_nodes_lose_nothing_and_fork_nothing(scratch):
    network = Network(scratch)
    publishers = [Publisher(home, f"w{n}") for n, home in enumerate(network.writers)]
    for publisher in publishers:
        publisher.start()
    begin = time.monotonic()
    kill_rounds(network, publishers, random.Random(OPTIONS.seed))
    took = time.monotonic() - begin
    for publisher in publishers:
        publisher.stopping = True
    for publisher in publishers:
        publisher.join(30)
    for publisher, author, log in zip(publishers, network.authors, network.logs):
        wait_until(lambda author=author: len({home.parley("digest", author) for home in (
            network.relay, network.reader, network.cast[1 + network.authors.index(author)])}) == 1,
            f"equal digests of {publisher.name}", CONVERGE_S)
        expect_all(network, publisher, author, log)
    for home in network.cast:
        assert home.end() == 0
        assert home.parley("check").startswith("good"), home.path.name
    counts = [len(publisher.acknowledged) for publisher in publishers]
    print(f"# {OPTIONS.rounds} rounds in {took:.0f} s, acknowledged {counts}")


run(killed_nodes_lose_nothing_and_fork_nothing)
