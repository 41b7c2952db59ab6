"""Nodes that know one address each find the others, and stay together when that one goes. Each has a
network namespace and an address of the clear net, in a group of its own; where namespaces may not be
made the test says so and is skipped."""
import signal

from networks import Namespace, go_inside, ip

go_inside("nodes find each other")

from nodes import run, wait_until  # noqa: E402

NODES = 12


class Place(Namespace):
    """A namespace on the bridge, at 11.N.0.1: private to nobody, so of the clear net."""

    def __init__(self, number):
        super().__init__(f"leg{number}", f"11.{number}.0.1/8")
        ip("link", "set", self.leg, "master", "hub")


class Net:
    def __init__(self, scratch):
        self.scratch, self.places, self.nodes = scratch, [], {}
        ip("link", "set", "lo", "up")
        ip("link", "add", "hub", "type", "bridge")
        ip("link", "set", "hub", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for place in self.places:
            place.close()
        ip("link", "del", "hub")

    def start(self, name, *options, peers=(), place=None, is_person=False):
        """A node at a new place, or again at its old one."""
        if place is None:
            place = Place(len(self.places) + 1)
            self.places.append(place)
        home = self.nodes.get(name) or self.scratch.home(name)
        if is_person and name not in self.nodes:
            home.init()
        self.nodes[name], home.place = home, place
        kind = [] if is_person else ["--relay"]
        home.start(*kind, *options, listen=f"{place.there}:7373", within=place.within,
                   peers=peers)
        return home


def peers(home):
    return home.json("peers")


def outbound(home):
    return sum(peer["direction"] == "out" for peer in peers(home))


def keys_of(homes):
    return {home.address.partition("@")[0]: home for home in homes}


def is_connected(homes):
    """Whether the links make one net of them."""
    known, start = keys_of(homes), next(iter(homes))
    seen, open_ = {start}, [start]
    while open_:
        for peer in peers(open_.pop()):
            other = known.get(peer["node_key"])
            if other is not None and other not in seen:
                seen.add(other)
                open_.append(other)
    return len(seen) == len(homes)


def each_has(homes, count):
    return all(len(peers(home)) >= count for home in homes)


def nodes_with_one_address_find_each_other_and_outlive_it(scratch):
    with Net(scratch) as net:
        first = net.start("n0")
        others = [net.start(f"n{i}", peers=[first.address]) for i in range(1, NODES)]
        wait_until(lambda: each_has([first, *others], 5), "each has five links", 150)
        assert all(peer["network"] == "clear" for home in others for peer in peers(home))
        first.end(signal.SIGKILL)
        wait_until(lambda: each_has(others, 4) and is_connected(others),
                   "the others are one net without the first", 90)
        status = others[0].json("status")[0]
        assert status["addresses"] >= 4 and status["dials"], status

        newcomer = net.start("newcomer", peers=[others[4].address])
        wait_until(lambda: outbound(newcomer) >= 4, "a newcomer has links of its own", 90)
        person = net.start("person", peers=[others[2].address], is_person=True)
        wait_until(lambda: outbound(person) >= 3, "so has a person", 90)

        # What was learned is there after a restart, without any address given.
        others[7].end()
        net.start("n8", place=others[7].place)
        wait_until(lambda: len(peers(others[7])) >= 3, "a restarted node finds the others", 60)

        # Whoever wants only his own peers has only those.
        alone = net.start("alone", "--discover", "no", peers=[others[1].address])
        wait_until(lambda: len(peers(alone)) == 1, "the peer that was named is connected")
        assert alone.json("status")[0]["addresses"] == 0


run(nodes_with_one_address_find_each_other_and_outlive_it)
