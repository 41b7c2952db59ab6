"""Nodes find each other: on one link by announcements, and through a router that passes a port on.
Links are bridges between network namespaces, the router is one with nftables and Debian's
miniupnpd."""
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time

from networks import Namespace, go_inside, ip

go_inside("nodes find each other")

from nodes import PARLEY, Skipped, run, wait_until  # noqa: E402

GROUP = "239.255.73.73"
LISTENER = """
import select, socket, sys
group, own = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((group, 7373))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(own))
print("listens", flush=True)
while sys.stdin not in select.select([s, sys.stdin], [], [])[0]:
    data, source = s.recvfrom(2048)
    print(source[0], data.hex())
"""


@contextlib.contextmanager
def bridged(*sides):
    """Namespaces at these addresses, on one bridge."""
    ip("link", "add", "bridge", "type", "bridge", "mcast_snooping", "0")
    ip("link", "set", "bridge", "up")
    spaces = []
    try:
        for number, there in enumerate(sides):
            spaces.append(Namespace(f"port{number}", there))
            ip("link", "set", f"port{number}", "master", "bridge")
        yield spaces
    finally:
        for space in spaces:
            space.close()
        ip("link", "del", "bridge")


def peers_of(home):
    return {peer["node_key"]: peer for peer in home.json("peers")}


def key_of(home):
    return home.address.partition("@")[0]


def nodes_on_one_bridge_find_each_other(scratch):
    with bridged("10.8.0.1/24", "10.8.0.2/24") as (left, right):
        ann, bob = (scratch.home(name).init() for name in ("ann", "bob"))
        ann.parley("follow", bob.author), bob.parley("follow", ann.author)
        ann.start(listen="0.0.0.0:7373", within=left.within)
        assert ann.json("status")[0]["lan"] is True
        bob.start(listen="0.0.0.0:7474", within=right.within)
        wait_until(lambda: key_of(bob) in peers_of(ann) and key_of(ann) in peers_of(bob), "the link")
        assert peers_of(ann)[key_of(bob)]["network"] == "lan"
        ann.parley("post", "to the whole house"), bob.parley("post", "and back")
        for home, words in ((bob, "to the whole house"), (ann, "and back")):
            wait_until(lambda h=home, w=words: w in h.parley("timeline"), "the post")
        reached = {home.json("status")[0]["reachable"] for home in (ann, bob)}
        assert reached <= {"lan", "unknown"} and "lan" in reached, reached
        assert ann.end() == 0 and bob.end() == 0


def a_newcomer_is_found_by_one_choice(scratch):
    """Started as it comes, and reached only by itself; chosen while it runs, and after a restart."""
    with bridged("10.8.0.1/24", "10.8.0.2/24") as (left, right):
        ann, bob = (scratch.home(name).init() for name in ("ann", "bob"))
        ann.start(listen=None, within=left.within), bob.start(listen=None, within=right.within)
        assert ann.address.endswith("@127.0.0.1:7373") and ann.json("status")[0]["reachable"] == "no"
        for home in (ann, bob):
            status, now = home.ask("POST", "/v1/reach", {"lan": True, "nat": False})
            assert status == 200 and now["lan"] and len(now["places"]) == 1, now
        wait_until(lambda: key_of(bob) in peers_of(ann) and key_of(ann) in peers_of(bob), "the link")
        assert bob.end() == 0
        bob.start(listen=None, within=right.within)
        wait_until(lambda: key_of(bob) in peers_of(ann), "the link again")
        status, now = bob.ask("POST", "/v1/reach", {"lan": False, "nat": False})
        assert status == 200 and not now["lan"] and now["places"] == [], now
        assert ann.end() == 0 and bob.end() == 0


def a_neighbour_is_nobody_from_outside(scratch):
    # Addresses that everybody can have, as every machine has some of IPv6; yet nothing lies between.
    with bridged("5.5.5.1/24", "5.5.5.2/24") as (left, right):
        ann, bob = (scratch.home(name).init() for name in ("ann", "bob"))
        ann.start("--lan", "no", listen="0.0.0.0:7373", within=left.within)
        bob.start("--lan", "no", within=right.within)
        bob.parley("connect", ann.address.partition("@")[0] + "@5.5.5.1:7373")
        wait_until(lambda: key_of(bob) in peers_of(ann), "the link")
        assert peers_of(ann)[key_of(bob)]["network"] == "clear"
        assert ann.json("status")[0]["reachable"] == "lan"
        assert ann.end() == 0 and bob.end() == 0


HIDDEN = ((["--discover", "no"], "0.0.0.0"), (["--lan", "no"], "0.0.0.0"), (["--relay"], "0.0.0.0"),
          (["--lan", "yes", "--discover", "no"], "0.0.0.0"), ([], "127.0.0.1"), (["--lan", "yes"], "127.0.0.1"))


def who_hides_says_nothing_and_what_is_said_names_nobody(scratch):
    with bridged("10.8.0.1/24", "10.8.0.2/24") as (space, watcher):
        homes = [scratch.home(f"hidden{number}").init() for number in range(len(HIDDEN))]
        said = scratch.home("open").init()
        listener = subprocess.Popen([*watcher.within, sys.executable, "-c", LISTENER, GROUP, "10.8.0.2"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert listener.stdout.readline() == "listens\n"
        for home, (options, host), port in zip(homes, HIDDEN, range(8001, 9000)):
            home.start(*options, listen=f"{host}:{port}", within=space.within)
        said.start(listen="0.0.0.0:7373", within=space.within)
        time.sleep(1.5)
        for home in (said, *homes):
            assert home.end() == 0
        heard = [line.split() for line in listener.communicate("")[0].splitlines()]
        assert heard and {source for source, _ in heard} == {"10.8.0.1"}, heard
        own = said.json("id")[0]
        for _, data in heard:
            assert b"10.8.0.1:7373" in bytes.fromhex(data) and len(data) < 400, data
            assert own["device"] not in data and own["log"] not in data


def a_foreign_network_on_the_same_wire_is_passed_over(scratch):
    with bridged("10.8.0.1/24", "10.9.0.1/24") as (left, right):
        # They could reach each other, and hear each other; they are not of one network.
        left.ip("route", "add", "10.9.0.0/24", "dev", "eth0")
        right.ip("route", "add", "10.8.0.0/24", "dev", "eth0")
        ann, bob = (scratch.home(name).init() for name in ("ann", "bob"))
        ann.start(listen="0.0.0.0:7373", within=left.within)
        bob.start(listen="0.0.0.0:7373", within=right.within)
        assert left.reaches("10.9.0.1")
        time.sleep(2)
        assert peers_of(ann) == {} == peers_of(bob)
        assert ann.end() == 0 and bob.end() == 0


# --- a router -----------------------------------------------------------------------------------------

RULES = """
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "inside" accept
        jump miniupnpd
    }
    chain miniupnpd { }
    chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
    chain prerouting_miniupnpd { }
    chain postrouting {
        type nat hook postrouting priority 100;
        jump postrouting_miniupnpd
        oifname "outside" masquerade
    }
    chain postrouting_miniupnpd { }
}
"""
CONFIG = """
ext_ifname=outside
listening_ip=inside
port=0
enable_natpmp={pmp}
enable_upnp={upnp}
secure_mode=yes
system_uptime=yes
uuid=00000000-0000-0000-0000-000000000000
allow 1024-65535 0.0.0.0/0 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


def router_possible():
    return all(shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin") for name in ("nft", "miniupnpd"))


@contextlib.contextmanager
def routed(**protocols):
    """A home behind a router that is this namespace, and somebody far out: 192.168.77.2 and 5.5.5.2."""
    home, far = Namespace("inside", "192.168.77.2/24"), Namespace("outside", "5.5.5.2/24")
    ip("addr", "add", "192.168.77.1/24", "dev", "inside")
    ip("addr", "add", "5.5.5.1/24", "dev", "outside")
    home.ip("route", "add", "default", "via", "192.168.77.1")
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
        file.write("1")
    subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        config.write(CONFIG.format(**{name: protocols.get(name, "no") for name in ("pmp", "upnp")}))
        config.flush()
        router = subprocess.Popen(["miniupnpd", "-d", "-f", config.name, "-P", config.name + ".pid"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield home, far
        finally:
            router.terminate()
            router.wait()
            subprocess.run(["nft", "flush", "ruleset"], check=True)
            home.close(), far.close()


def nat_of(home):
    return home.json("status")[0]["nat"]


def a_router_passes_the_port_on_while_the_node_runs(scratch):
    if not router_possible():
        raise Skipped("no nft and miniupnpd here: apt-get install nftables miniupnpd")
    for name, protocol in (("pmp", "nat-pmp"), ("upnp", "upnp")):
        with routed(**{name: "yes"}) as (inside, outside):
            ann, bob = scratch.home("ann-" + name).init(), scratch.home("bob-" + name).init()
            ann.start("--nat", "yes", listen="0.0.0.0:7373", within=inside.within)
            wait_until(lambda a=ann: nat_of(a)["state"] == "mapped", "the router's answer")
            nat = nat_of(ann)
            assert nat == {"state": "mapped", "protocol": protocol, "place": "5.5.5.1:7373"}, nat
            status = ann.json("status")[0]
            assert status["places"][0].endswith("@5.5.5.1:7373") and status["reachable"] == "unknown", status
            bob.start(listen="127.0.0.1:0", within=outside.within)
            bob.parley("connect", status["places"][0])
            wait_until(lambda a=ann, b=bob: key_of(b) in peers_of(a), "the link through the router")
            wait_until(lambda a=ann: a.json("status")[0]["reachable"] == "yes", "the node knows it")
            assert bob.json("status")[0]["reachable"] == "no"
            wait_until(lambda b=bob: b.json("status")[0]["addresses"] == 1, "that peers are told of the place")
            assert outside.reaches("5.5.5.1")
            assert bob.end() == 0 and ann.end() == 0
            rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
            assert "dnat" not in rules, rules


def follows(home):
    return [follow["author"] for follow in home.json("follows")]


def both_ways(left, right):
    """A post of each at the other."""
    for writer, reader in ((left, right), (right, left)):
        post = writer.parley("post", f"by {writer.path.name}").strip()
        wait_until(lambda r=reader, p=post: r.json("timeline") and p in r.parley("--json", "timeline"), "the post")


def one_paste_through_a_router(scratch):
    if not router_possible():
        raise Skipped("no nft and miniupnpd here: apt-get install nftables miniupnpd")
    with routed(pmp="yes") as (inside, outside):
        ann, bob, eve = (scratch.home(name).init() for name in ("ann", "bob", "eve"))
        ann.start("--nat", "yes", listen="0.0.0.0:7373", within=inside.within)
        wait_until(lambda: nat_of(ann)["state"] == "mapped", "the router's answer")
        bob.start(listen="127.0.0.1:0", within=outside.within)
        made = ann.json("invite")[0]
        assert made["places"] == ["5.5.5.1:7373", "192.168.77.2:7373"], made
        began = time.monotonic()
        accepted = bob.json("accept", made["invite"])[0]
        assert accepted["author"] == ann.author and time.monotonic() - began < 10
        wait_until(lambda: follows(ann) == [bob.author] and follows(bob) == [ann.author], "both follow")
        both_ways(ann, bob)
        # It is used; to whom it belongs it stays good.
        eve.start(listen="127.0.0.1:0", within=outside.within)
        eve.parley("accept", made["invite"], status=1)
        assert bob.json("accept", made["invite"])[0]["author"] == ann.author
        assert follows(eve) == [] and follows(ann) == [bob.author]
        # A restart later bob finds the way by himself, and ann still knows what was used.
        assert bob.end() == 0 and ann.end() == 0
        ann.start("--nat", "yes", listen="0.0.0.0:7373", within=inside.within)
        bob.start(listen="127.0.0.1:0", within=outside.within)
        wait_until(lambda: nat_of(ann)["state"] == "mapped" and key_of(ann) in peers_of(bob), "the link again", 60)
        eve.parley("accept", made["invite"], status=1)
        both_ways(ann, bob)
        for home in (ann, bob, eve):
            assert home.end() == 0


def an_invite_waits_for_its_maker_and_the_way_back_is_kept(scratch):
    with bridged("10.8.0.1/24", "10.8.0.2/24", "10.9.0.1/24") as (left, right, elsewhere):
        ann, bob, eve = (scratch.home(name).init() for name in ("ann", "bob", "eve"))
        quiet = ["--discover", "no"]
        ann.start(*quiet, listen="0.0.0.0:7373", within=left.within)
        made = ann.json("invite", "--private", "--days", "1")[0]
        assert made["places"] == ["10.8.0.1:7373"], made
        assert ann.end() == 0
        eve.start(*quiet, within=elsewhere.within)
        eve.parley("accept", made["invite"], status=1)  # of a network that is not eve's
        bob.start(*quiet, listen="0.0.0.0:7373", within=right.within)
        asking = subprocess.Popen([PARLEY, "--home", bob.path, "accept", made["invite"]], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        assert asking.poll() is None and follows(bob) == []
        assert bob.end() == 0  # the command is told so, and what was pasted is not lost
        assert asking.wait(20) == 3, asking.communicate()
        bob.start(*quiet, listen="0.0.0.0:7373", within=right.within)
        ann.start(*quiet, listen="0.0.0.0:7373", within=left.within)
        wait_until(lambda: follows(ann) == [bob.author] and follows(bob) == [ann.author], "both follow")
        assert ann.json("follows")[0]["private"] is True and bob.json("follows")[0]["private"] is False
        both_ways(ann, bob)
        # Ann's node keeps where bob's is, and would go there.
        assert bob.end() == 0
        wait_until(lambda: not peers_of(ann), "the end of the link")
        assert ann.json("status")[0]["dials"] is True
        assert ann.end() == 0
        for home in (ann, bob):
            assert not home.path.joinpath("invites.damaged").exists()
            text = home.path.joinpath("invites").read_text(encoding="utf-8")
            assert made["invite"] not in text, "the secret is kept no longer than it must"
        assert eve.end() == 0


def without_a_router_it_is_said(scratch):
    with bridged("10.8.0.1/24") as (space,):
        home = scratch.home("a").init()
        home.start("--nat", "yes", listen="0.0.0.0:7373", within=space.within)
        wait_until(lambda: nat_of(home)["state"] == "none", "that nobody answers")
        assert "by hand" in home.json("status")[0]["reachable_words"]
        assert home.end() == 0


run(nodes_on_one_bridge_find_each_other, a_newcomer_is_found_by_one_choice, a_neighbour_is_nobody_from_outside,
    who_hides_says_nothing_and_what_is_said_names_nobody,
    a_foreign_network_on_the_same_wire_is_passed_over, a_router_passes_the_port_on_while_the_node_runs,
    one_paste_through_a_router, an_invite_waits_for_its_maker_and_the_way_back_is_kept,
    without_a_router_it_is_said)
