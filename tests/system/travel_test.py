"""Posts between real nodes: live, caught up, over a relay that dies."""
import signal

from nodes import lines_of_posts, run, wait_until


def same(author, *homes):
    return lambda: len({home.parley("digest", author) for home in homes}) == 1


def entries(home, count):
    return lambda: home.json("status")[0]["entries"] == count


def posts_travel_live_and_later(scratch):
    writer = scratch.home("writer").init().start()
    reader = scratch.home("reader").init().start(peers=[writer.address])
    author = writer.author
    reader.parley("follow", author)
    writer.parley("post", "first")
    wait_until(entries(reader, 2), "the first post and the follow")
    reader.end()
    writer.parley("post", "--ndjson", text=lines_of_posts(300))
    reader.start(peers=[writer.address])
    wait_until(entries(reader, 302), "what was missed")
    wait_until(same(author, writer, reader), "equal digests")
    texts = [post["text"] for post in reader.json("timeline", "--author", author, "--limit", "0")]
    assert texts == [f"post {i}" for i in reversed(range(300))] + ["first"]


def a_relay_outlives_the_writer(scratch):
    relay = scratch.home("relay").start("--relay")
    writer = scratch.home("writer").init().start(peers=[relay.address])
    author = writer.author
    writer.parley("post", "--ndjson", text=lines_of_posts(200))
    wait_until(entries(relay, 200), "the relay holds all")
    writer.end(signal.SIGKILL)
    reader = scratch.home("reader").init().start(peers=[relay.address])
    reader.parley("follow", author)
    wait_until(entries(reader, 201), "the reader holds all")
    place = relay.address.split("@")[1]
    relay.end(signal.SIGKILL)
    writer.start(peers=[relay.address])
    writer.parley("post", "while the relay was away")
    relay.start("--relay", listen=place)
    wait_until(entries(reader, 202), "what was posted in between", 60)
    wait_until(same(author, writer, relay, reader), "equal digests")


def a_stopped_node_leaves_at_once(scratch):
    relay = scratch.home("relay").start("--relay")
    writer = scratch.home("writer").init().start(peers=[relay.address])
    writer.parley("post", "--ndjson", text=lines_of_posts(1000))
    assert writer.end() == 0
    wait_until(lambda: relay.json("status")[0]["peers"] == 0, "the relay notices", 5)
    assert relay.end() == 0


run(posts_travel_live_and_later,
    a_relay_outlives_the_writer,
    a_stopped_node_leaves_at_once)
