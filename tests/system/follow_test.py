"""`timeline --follow` that is slower than what comes, or whose node stops or becomes another one:
each post once and in order, and where some are missing it says so."""
import json
import signal
import socket
import subprocess
import time

from nodes import PARLEY, run, wait_until


class Follower:
    """The command, with its output in a file and ready to print what comes."""

    def __init__(self, home, name="followed"):
        self.path = home.path.with_suffix("." + name)
        with open(self.path, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [PARLEY, "--home", home.path, "timeline", "--follow", "--json"],
                stdout=out, stderr=subprocess.PIPE, text=True)
        self.skipped = 0
        while not self.texts():  # nothing tells when the node has its request
            home.parley("post", "hello")
            time.sleep(0.1)
        home.parley("post", "begin")
        wait_until(lambda: self.texts()[-1] == "begin", "the last post before the test")
        self.skipped = len(self.texts())

    def texts(self):
        whole = self.path.read_text(encoding="utf-8").rpartition("\n")[0]
        return [json.loads(line)["text"] for line in whole.splitlines()][self.skipped:]

    def freeze(self):
        """As Ctrl-Z does, or a pager that is not scrolled on."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        """Its exit status and what it said."""
        said = self.process.communicate(timeout=30)[1]
        return self.process.returncode, said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def publish(home, texts):
    home.parley("post", "--ndjson", text="".join(json.dumps({"text": text}) + "\n" for text in texts))


def is_stopped(follower):
    began = time.monotonic()
    status, said = follower.end()
    return status == 3 and said.startswith("parley: the node") and said.count("\n") == 1 \
        and time.monotonic() - began < 5


def a_slow_reader_gets_each_post_once(scratch):
    home = scratch.home("home").init().start("--api", "no")
    texts = [f"{i} " + "x" * 3000 for i in range(1500)]
    with Follower(home, "slow") as slow, Follower(home, "quick") as quick, \
            socket.socket(socket.AF_UNIX) as unread:
        slow.freeze()
        unread.settimeout(30)
        unread.connect(str(home.path / "api.sock"))
        unread.sendall(b"GET /v1/events HTTP/1.1\r\nHost: parley\r\n\r\n")
        publish(home, texts)
        wait_until(lambda: texts[-1] in quick.texts(), "the node has told of all")
        size = sum(map(len, iter(lambda: unread.recv(65536), b"")))
        assert size > 1000000, f"the node kept up to 1 MiB and sent {size} bytes in all"
        slow.go_on()
        wait_until(lambda: texts[-1] in slow.texts(), "the newest post")
        home.parley("post", "live")
        for follower in (slow, quick):
            wait_until(lambda it=follower: "live" in it.texts(), "what comes then")
            told = [text for text in follower.texts() if text not in ("hello", "begin")]
            assert told == [*texts, "live"], len(told)
        home.end()
        for follower in (slow, quick):
            assert is_stopped(follower), "a node that stops is said at once, and nothing else"


def another_start_is_a_gap(scratch):
    home = scratch.home("home").init().start("--api", "no")
    with Follower(home) as follower:
        home.parley("post", "before")
        wait_until(lambda: follower.texts() == ["before"], "a post")
        follower.freeze()
        home.end()
        home.start("--api", "no")
        home.parley("post", "unseen")
        follower.go_on()

        def is_live():
            home.parley("post", "after")
            return "after" in follower.texts()

        wait_until(is_live, "what comes then")
        assert set(follower.texts()) == {"before", "after"}, follower.texts()
        follower.process.kill()
        _, said = follower.end()
        assert said.count("\n") == 1 and "missing" in said and "parley timeline" in said, said


def a_killed_node_is_said(scratch):
    home = scratch.home("home").init().start("--api", "no")
    with Follower(home) as follower:
        home.end(signal.SIGKILL)
        assert is_stopped(follower)


run(a_slow_reader_gets_each_post_once, another_start_is_a_gap, a_killed_node_is_said)
