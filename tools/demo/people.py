"""Homes and the nodes that run on them, as a person would use them: real programs, real sockets."""
import json
import signal
import subprocess
import time


class Failed(Exception):
    """Something that was said did not hold."""


class Person:
    """One home, and the node that runs on it."""

    def __init__(self, build, folder, name, relay=False):
        self.build, self.name, self.relay = build, name, relay
        self.home = folder / name.lower().replace(" ", "-")
        self.node = None
        self.address = None
        self.author = None

    def parley(self, *words, text=None, check=True):
        command = [str(self.build / "tools" / "parley" / "parley"), "--home", str(self.home), *words]
        done = subprocess.run(command, input=text, capture_output=True, timeout=600)
        if check and done.returncode != 0:
            raise Failed(f"{self.name}: parley {' '.join(words)}: status {done.returncode}: "
                         f"{done.stderr.decode(errors='replace').strip()}")
        return done

    def json(self, *words):
        return [json.loads(line) for line in self.parley("--json", *words).stdout.splitlines()]

    def make(self):
        made = self.json("init", "--name", self.name)[0]
        self.author = made["author"]

    def spawn(self, listen="127.0.0.1:0", peers=(), options=()):
        """The process alone; start waits until it serves."""
        command = [str(self.build / "node" / "parleyd"), "--home", str(self.home), "--listen", listen]
        command += ["--relay"] if self.relay else []
        for peer in peers:
            command += ["--peer", peer]
        command += options
        with open(str(self.home) + ".log", "ab") as log:
            self.node = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)

    def start(self, listen="127.0.0.1:0", peers=(), options=()):
        self.spawn(listen, peers, options)
        line = self.node.stdout.readline().decode()
        if not line.startswith("ready "):
            raise Failed(f"{self.name}: the node did not start; see {self.home}.log")
        self.address = line.split()[1]

    def kill(self):
        """As a power cut would: no farewell."""
        self.node.send_signal(signal.SIGKILL)
        self.node.wait()
        self.node = None

    def stop(self):
        if self.node is not None:
            self.node.terminate()
            try:
                self.node.wait(20)
            except subprocess.TimeoutExpired:
                self.node.kill()
                raise Failed(f"{self.name}: the node did not stop when asked to") from None
            self.node = None

    def digest(self, *authors):
        return self.parley("digest", *authors).stdout.decode().strip()

    def count(self, author):
        return len(self.json("timeline", "--author", author, "--limit", "0"))


def wait_until(what, holds, seconds=120, progress=None):
    """holds answers True, or anything else to wait on; a text is shown as progress."""
    end = time.monotonic() + seconds
    while True:
        said = holds()
        if said is True:
            return
        if time.monotonic() > end:
            raise Failed(f"{what}: not after {seconds} seconds")
        if said and progress:
            progress(said)
        time.sleep(0.1)


def read_posts(path, newest=None):
    """Author of the file -> posts, oldest first."""
    by_author = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            post = json.loads(line)
            by_author.setdefault(post["author"], []).append(post)
    return {name: posts[-newest:] if newest else posts for name, posts in by_author.items()}


def ndjson(posts):
    return "".join(json.dumps({"text": p["text"], "time": p["time"]}) + "\n" for p in posts).encode()


def expect_same_posts(reader, author, posts):
    """The reader's timeline of one author: complete, newest first, byte for byte."""
    got = reader.json("timeline", "--author", author, "--limit", "0")
    want = sorted(((p["time"], n, p["text"]) for n, p in enumerate(posts)), reverse=True)
    if [p["text"] for p in got] != [text for _, _, text in want]:
        raise Failed(f"the posts of {author} at {reader.name} are not what was written")
