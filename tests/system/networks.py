"""Network namespaces for tests: this program in one of its own, and further ones behind legs of it.
Where they may not be made the test says so and is skipped."""
import os
import shutil
import subprocess
import sys

WAYS = [["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]]
INSIDE = "PARLEY_NETWORK_INSIDE"


def possible(way):
    if not shutil.which("ip") or not shutil.which("unshare"):
        return False
    tries = "ip link set lo up && ip link add probe type veth peer name probe2 && ip link add hub type bridge"
    return subprocess.run([*way, "sh", "-c", tries], capture_output=True).returncode == 0


def go_inside(what):
    """Starts this program again in a network namespace of its own, or skips."""
    if INSIDE in os.environ:
        return
    for way in WAYS:
        if possible(way):
            os.execvpe(way[0], [*way, sys.executable, "-B", *sys.argv], os.environ | {INSIDE: "1"})
    print(f"1..1\nok 1 - {what} # SKIP no network namespaces here")
    sys.exit(0)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Namespace:
    """A network of its own, with eth0 at the other end of a leg of ours."""

    def __init__(self, leg, there):
        self.leg, self.there, self.is_linked = leg, there.partition("/")[0], False
        # It keeps the network for as long as this program holds its input: not beyond its death.
        self.keeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat >/dev/null"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.keeper.stdout.readline()
        self.within = ["nsenter", "--net", "--target", str(self.keeper.pid)]
        try:
            ip("link", "add", leg, "type", "veth", "peer", "name", "eth0", "netns", str(self.keeper.pid))
            self.is_linked = True
            ip("link", "set", leg, "up")
            for words in (["link", "set", "lo", "up"], ["addr", "add", there, "dev", "eth0"],
                          ["link", "set", "eth0", "up"]):
                self.ip(*words)
        except BaseException:
            self.close()
            raise

    def ip(self, *words):
        subprocess.run([*self.within, "ip", *words], check=True)

    def reaches(self, address, port=7373):
        return subprocess.run([*self.within, sys.executable, "-c",
                               "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)",
                               address, str(port)], capture_output=True).returncode == 0

    def close(self):
        """The leg goes at once: left to the kernel it goes some time after the last process within."""
        if self.is_linked:
            subprocess.run(["ip", "link", "del", self.leg], capture_output=True)
        self.keeper.kill()
        self.keeper.communicate()
