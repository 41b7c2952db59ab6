"""Routers that are slow, that lie and that never end, and a node whose port changes. The router is this
program, in the namespace at the other end of the node's only link."""
import contextlib
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from networks import Namespace, go_inside, ip

go_inside("what routers may do")

from nodes import run, wait_until  # noqa: E402

ROUTER, NODE = "192.168.77.1", "192.168.77.2"
COUNTER = """
import socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[1])))
print("listens", flush=True)
while True:
    s.accept()
    print("somebody came", flush=True)
"""
SSDP = ("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nEXT:\r\nSERVER: x\r\nUSN: uuid:{0}::upnp:rootdevice\r\n"
        "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: {0}\r\n\r\n")
SERVICE = ("<service><serviceType>urn:schemas-upnp-org:service:{0}:1</serviceType><controlURL>{1}</controlURL>"
           "<SCPDURL>/x</SCPDURL></service>")
DEVICE = ("<?xml version=\"1.0\"?><root><device><serviceList>"
          + SERVICE.format("WANCommonInterfaceConfig", "{0}") + SERVICE.format("WANIPConnection", "{0}")
          + "</serviceList></device></root>")


@contextlib.contextmanager
def linked():
    """The node's namespace, whose router we are."""
    home = Namespace("inside", NODE + "/24")
    ip("link", "set", "lo", "up")
    ip("addr", "add", ROUTER + "/24", "dev", "inside")
    home.ip("route", "add", "default", "via", ROUTER)
    try:
        yield home
    finally:
        home.close()


@contextlib.contextmanager
def served(sock, answer):
    """answer(sock) whenever there is something, beside the test."""
    is_over = threading.Event()

    def serve():
        while not is_over.is_set():
            if select.select([sock], [], [], 0.1)[0]:
                answer(sock)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        sock.close()


def datagrams(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    return sock


def mapper(seen, delay=0.0):
    """A router of NAT-PMP, RFC 6886, that answers so many seconds later."""
    def reply(sock, data, source):
        words = struct.pack(">BBHI4s", 0, 128, 0, 9, socket.inet_aton("5.5.5.1"))
        if data[1] != 0:
            inside, outside, lease = struct.unpack(">HHI", data[4:12])
            seen.append((inside, lease))
            words = struct.pack(">BBHIHHI", 0, 130, 0, 9, inside, outside, lease)
        with contextlib.suppress(OSError):  # the test is over
            sock.sendto(words, source)

    def answer(sock):
        data, source = sock.recvfrom(64)
        threading.Timer(delay, reply, (sock, data, source)).start()
    return answer


def searched(*urls):
    """Who answers those that look for a router of UPnP, with where each describes itself."""
    sock = datagrams(1900)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                    socket.inet_aton("239.255.255.250") + socket.inet_aton(ROUTER))

    def answer(own):
        _, source = own.recvfrom(2048)
        for url in urls:
            own.sendto(SSDP.format(url).encode(), source)
    return served(sock, answer)


def page(came, body):
    def answer(sock):
        with sock.accept()[0] as client:
            came.append(client.recv(4096))
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return served(socket.create_server((ROUTER, 8000)), answer)


def nat_of(home):
    return home.json("status")[0]["nat"]


def place_of(home):
    return nat_of(home)["place"]


def a_slow_router_and_a_port_that_changes(scratch):
    seen = []
    with linked() as space, served(datagrams(5351), mapper(seen, 0.35)):
        home = scratch.home("a").init()
        conf = home.path / "parleyd.conf"
        conf.write_text("listen = \":7373\"\nnat = yes\nlan = no\n")
        home.start(within=space.within)
        wait_until(lambda: place_of(home) == "5.5.5.1:7373", "what a router says that answers twice")
        conf.write_text("listen = \":7474\"\nnat = yes\nlan = no\n")
        home.process.send_signal(signal.SIGHUP)
        wait_until(lambda: place_of(home) == "5.5.5.1:7474", "the port that is listened at now")
        assert (7373, 0) in seen and (7474, 0) not in seen, seen
        assert home.end() == 0
        assert seen[-1] == (7474, 0), seen


def what_answers_leads_to_neighbours_alone(scratch):
    came, body = [], DEVICE.format(f"http://{NODE}:9999/").encode()
    urls = [f"http://{NODE}:9999/", "http://127.0.0.1:9999/", f"http://{ROUTER}:8000/"]
    with linked() as space, searched(*urls), page(came, body):
        home = scratch.home("a").init()
        counter = subprocess.Popen([*space.within, sys.executable, "-c", COUNTER, "9999"],
                                   stdout=subprocess.PIPE, text=True)
        assert counter.stdout.readline() == "listens\n"
        home.start("--nat", "yes", "--lan", "no", listen="0.0.0.0:7373", within=space.within)
        wait_until(lambda: nat_of(home)["state"] == "none", "that there is no router")
        assert came and came[0].startswith(b"GET / "), came
        assert home.end() == 0
        counter.kill()
        assert counter.stdout.read() == "", "a service of this machine was asked"
        counter.wait()


def who_answers_a_letter_a_second_is_left(scratch):
    came = threading.Event()

    def drip(sock):
        with sock.accept()[0] as client, contextlib.suppress(OSError):
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            came.set()
            while True:
                client.sendall(b"x")
                time.sleep(0.5)
    with linked() as space, searched(f"http://{ROUTER}:8000/"), \
            served(socket.create_server((ROUTER, 8000)), drip):
        home = scratch.home("a").init()
        home.start("--nat", "yes", "--lan", "no", listen="0.0.0.0:7373", within=space.within)
        assert came.wait(20)
        began = time.monotonic()
        assert home.end() == 0
        assert time.monotonic() - began < 15


run(a_slow_router_and_a_port_that_changes, what_answers_leads_to_neighbours_alone,
    who_answers_a_letter_a_second_is_left)
