"""What the system tests share: homes, real processes on loopback, TAP on standard output."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

WAIT_S = 30


class Home:
    """A home directory and the node that may run on it."""

    def __init__(self, folder, name):
        self.path = pathlib.Path(folder) / name
        self.errors = pathlib.Path(folder) / (name + ".log")
        self.process = None
        self.address = None

    def parley(self, *words, text=None, status=0):
        done = subprocess.run([PARLEY, "--home", self.path, *words], input=text, text=True,
                              capture_output=True, timeout=120)
        assert status is None or done.returncode == status, (
            f"parley {' '.join(words)}: status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def ask(self, method, path, body):
        """The local API, by the socket in the home: status and JSON."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(WAIT_S)
            sock.connect(str(self.path / "api.sock"))
            connection = http.client.HTTPConnection("localhost")
            connection.sock = sock
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def json(self, *words, text=None):
        lines = self.parley("--json", *words, text=text).splitlines()
        return [json.loads(line) for line in lines]

    def init(self, *words, text=None):
        self.parley(*(words or ["init"]), text=text)
        return self

    @property
    def author(self):
        return self.json("id")[0]["author"]

    def start(self, *options, listen="127.0.0.1:0", peers=(), within=()):
        """within: words of a command that runs the node somewhere else, such as nsenter."""
        at = ["--listen", listen] if listen else []
        words = [*within, PARLEYD, "--home", self.path, *at, *options]
        for peer in peers:
            words += ["--peer", peer]
        with open(self.errors, "a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), f"{self.path.name} did not start: {self.log()}"
        self.address = line.split()[1]
        return self

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(timeout=WAIT_S)
        self.process.stdout.close()
        self.process = None
        return status

    def ticks(self):
        """Processor time of the node: user and system, in units of 10 ms."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def log(self):
        return self.errors.read_text(encoding="utf-8")


class Scratch:
    """A folder with homes; whatever still runs at the end is killed."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="parley-test-")
        self.homes = []
        os.environ["XDG_STATE_HOME"] = os.path.join(self.folder, "state")
        return self

    def home(self, name):
        self.homes.append(Home(self.folder, name))
        return self.homes[-1]

    def __exit__(self, *_):
        for home in self.homes:
            if home.process is not None:
                home.process.kill()
                home.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def refused(*words, timeout=20):
    """Runs parleyd that is expected to end by itself: its status and its words."""
    done = subprocess.run([PARLEYD, *map(str, words)], text=True, capture_output=True,
                          timeout=timeout)
    assert done.stdout == "", done.stdout
    return done.returncode, done.stderr


def wait_until(holds, what, seconds=WAIT_S):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def lines_of_posts(count, start=0):
    return "".join(json.dumps({"text": f"post {i}"}) + "\n" for i in range(start, start + count))


class Skipped(Exception):
    """What a test needs is not here."""


def run(*tests):
    failed = 0
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            with Scratch() as scratch:
                test(scratch)
            print(f"ok {number} - {name}", flush=True)
        except Skipped as reason:
            print(f"ok {number} - {name} # SKIP {reason}")
        except Exception:  # each is reported, and the next one runs
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            sys.stdout.flush()
    sys.exit(1 if failed else 0)


PARLEYD, PARLEY = (os.path.abspath(path) for path in sys.argv[1:3])
