"""What a node held before it started is judged before anybody reads it: of a forked log the posts
below the fork show from the first answer on, and those above it in none."""
import http.client
import json
import os
import shutil
import socket
import subprocess

from nodes import PARLEY, PARLEYD, run

ROUNDS = 5


class Local(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def first_answer(home, path):
    """As soon as the socket takes it."""
    while True:
        local = Local(str(home.path / "api.sock"))
        try:
            local.request("GET", path)
            answer = local.getresponse()
            return answer.status, json.loads(answer.read())
        except (FileNotFoundError, ConnectionError):
            continue
        finally:
            local.close()


def exported(home):
    path = home.path / "out.parley"
    with open(path, "wb") as out:
        subprocess.run([PARLEY, "--home", home.path, "export"], stdout=out, timeout=60, check=True)
    return str(path)


def holder_of_a_fork(scratch):
    """A relay with a log of which two branches were signed: the machine's state was copied, too."""
    home, holder = scratch.home("a").init(), scratch.home("relay")
    for text in ("one", "two"):
        home.parley("post", text)
    other = scratch.home("b")
    shutil.copytree(home.path, other.path)
    home.parley("post", "hidden here")
    os.environ["XDG_STATE_HOME"] = os.path.join(scratch.folder, "elsewhere")
    other.parley("--same-device", "post", "hidden there")
    holder.parley("init", "--relay")
    holder.parley("import", exported(home))
    holder.parley("import", exported(other), status=1)
    return holder


def texts(posts):
    return sorted(post["text"] for post in posts)


def what_a_fork_hides_never_shows(scratch):
    holder = holder_of_a_fork(scratch)
    whole = holder.json("digest")
    assert texts(holder.json("timeline")) == ["one", "two"]
    for number in range(ROUNDS):
        words = [PARLEYD, "--home", holder.path, "--relay", "--listen", "127.0.0.1:0"]
        holder.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                          text=True)
        if number % 2 == 0:
            status, answer = first_answer(holder, "/v1/timeline")
            assert status == 200 and texts(answer["posts"]) == ["one", "two"], (number, answer)
        else:  # with the node or, if it is faster, on the home
            shown = texts(holder.json("timeline"))
            assert shown == ["one", "two"], (number, shown)
            assert holder.process.stdout.readline().startswith("ready ")
        assert holder.json("digest") == whole, number
        assert holder.end() == 0


run(what_a_fork_hides_never_shows)
