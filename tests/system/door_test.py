"""The API over TCP: where it listens, who is let in, what every answer says, and streams that go on
where they were."""
import base64
import hashlib
import os
import re
import socket
import stat
import subprocess
import time

from door import Stream, Visitor, page, program, secret_of, url_of
from nodes import PARLEY, PARLEYD, lines_of_posts, run, wait_until

STREAMS_MAX = 32  # at once; one more is refused
EVERYBODYS = ["/", "/healthz", "/readyz"]
CONSTANT = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin", "x-frame-options": "DENY"}


def it_listens_by_itself_and_says_where(scratch):
    first, second, third = (scratch.home(name).init() for name in "abc")
    first.start()
    assert first.process.stdout.readline() == f"page {url_of(first)}\n"
    with socket.socket() as holder:
        try:
            holder.bind(("127.0.0.1", 8373))  # by this test, if by nobody else
            holder.listen()
        except OSError:
            pass
        second.start()
        assert url_of(second) not in (url_of(first), "http://127.0.0.1:8373"), url_of(second)
        assert program(second).get("/v1/id").status == 200
    third.start("--api", "no")
    assert url_of(third) is None
    assert "no page" in refused_open(third)
    for home in (first, second, third):
        assert home.end() == 0


def refused_open(home):
    done = subprocess.run([PARLEY, "--home", home.path, "open"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == "", done
    return done.stderr


def a_port_that_was_asked_for_is_that_or_none(scratch):
    home = scratch.home("a").init()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([PARLEYD, "--home", home.path, "--listen", "127.0.0.1:0", "--api",
                               f"127.0.0.1:{port}"], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1 and str(port) in done.stderr, done
    home.start("--api", f"127.0.0.1:{port}")
    assert url_of(home) == f"http://127.0.0.1:{port}"
    assert home.end() == 0


def what_is_everybodys_tells_nothing(scratch):
    home = scratch.home("a").init().start()
    stranger = Visitor(url_of(home))
    for path in EVERYBODYS:
        answer = stranger.get(path)
        assert answer.status == 200, (path, answer.status)
        for name, value in CONSTANT.items():
            assert answer.headers[name] == value, (path, name, answer.headers)
        assert not any(name.startswith("access-control") for name in answer.headers)
        assert home.author[:12].encode() not in answer.bytes
        rebound = stranger.get(path, Host="evil.example:%d" % stranger.port)
        assert rebound.status == 403 and "Host" in rebound.problem()["detail"]
    assert stranger.get("/healthz").json == {"status": "ok"} == stranger.get("/readyz").json
    policy = stranger.get("/").headers["content-security-policy"]
    for words in ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "form-action 'none'",
                  "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
        assert words in policy, policy
    assert "unsafe" not in policy and "http:" not in policy and "*" not in policy, policy
    for path in ("/v1/status", "/v1/timeline", "/metrics", "/v1/events", "/v1/none", "/none"):
        answer = stranger.get(path)
        assert answer.status == 401 and answer.problem()["error"] == "UNAUTHORIZED", (path, answer.bytes)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert home.end() == 0


def the_page_is_one_script(scratch):
    """Each more is another way to the node and back before the first post is seen."""
    home = scratch.home("a").init().start()
    stranger = Visitor(url_of(home))
    asked = re.findall(r'(?:src|href)="([^"#][^"]*)"(?: integrity="([^"]*)")?', stranger.get("/").bytes.decode())
    assert [re.sub("-[0-9a-f]{16}", "", path) for path, _ in asked] == ["mark.svg", "style.css", "page.js"], asked
    for path, integrity in asked:  # kept by the browser: its name is of what is in it, and what else is kept there is refused
        answer = stranger.get("/" + path)
        digest = hashlib.sha256(answer.bytes).digest()
        assert answer.status == 200 and digest.hex()[:16] in path
        assert integrity == ("" if path.endswith("svg") else "sha256-" + base64.b64encode(digest).decode()), (path, integrity)
        assert answer.headers == {**answer.headers, **CONSTANT, "cache-control": "private, max-age=31536000, immutable"}
    script = answer.bytes.decode()
    assert "function card(" in script and not re.search(r"^\s*(?:import|export)\b|\bimport\(", script, re.MULTILINE)
    assert stranger.get("/page.js").status == stranger.get("/main.js").status == 401
    assert home.end() == 0


def no_address_brings_headers_along(scratch):
    """libwebsockets ends the first line where a line end stands in the address, written as %0a."""
    home = scratch.home("a").init().start()
    place = Visitor(url_of(home))
    for path in ("/healthz", "/healthz?a=b"):
        for words in ("%0aHost:127.0.0.1:{0}", "%0d%0aHost:%20127.0.0.1:{0}%0d%0aX:", "%0aHost:%20127.0.0.1:{0}%0a",
                      "%20HTTP/1.1%0d%0aHost:127.0.0.1:{0}%0d%0a", "%0aX:%0aHost:127.0.0.1:{0}"):
            with socket.create_connection((place.host, place.port), timeout=10) as wire:
                asked = path + words.format(place.port)
                wire.sendall(f"GET {asked} HTTP/1.1\r\nHost: evil.example:{place.port}\r\n\r\n".encode())
                answer = wire.recv(4096)
            assert not answer or b" 403 " in answer.split(b"\r\n")[0], (asked, answer)
    assert home.end() == 0


def a_link_lets_in_once(scratch):
    home = scratch.home("a").init().start()
    visitor = Visitor(url_of(home), Origin=url_of(home))
    secret = secret_of(home)
    for body, status in (({"secret": secret[:-1] + "x"}, 401), ({"secret": 5}, 400), ({}, 400), ([], 400),
                         ({"secret": ""}, 401)):
        assert visitor.post("/v1/sessions", body).status == status, body
    assert visitor.post("/v1/sessions", {"secret": secret}, Origin=None).status == 403
    assert visitor.post("/v1/sessions", {"secret": secret}, Origin="http://evil.example").status == 403
    assert visitor.post("/v1/sessions", {"secret": secret}, Content_Type="text/plain").status == 415
    entered = visitor.post("/v1/sessions", {"secret": secret})
    assert entered.status == 201 and len(entered.json["word"]) == 64
    cookie, *attributes = entered.headers["set-cookie"].split("; ")
    assert cookie.startswith(f"parley_{visitor.port}="), cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes), attributes
    assert visitor.post("/v1/sessions", {"secret": secret}).status == 401
    assert secret_of(home) != secret
    assert home.end() == 0


def a_browser_is_given_a_file_and_no_secret_on_its_command_line(scratch):
    home = scratch.home("a").init().start()
    folder = home.path.parent / "bin"
    folder.mkdir()
    (folder / "xdg-open").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$0.said"\n', encoding="ascii")
    (folder / "xdg-open").chmod(0o755)
    said = folder / "xdg-open.said"
    plain = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    plain["PATH"] = f"{folder}:{plain['PATH']}"

    def opened(environment, *words):
        done = subprocess.run([PARLEY, "--home", home.path, *words, "open"], env=environment, capture_output=True,
                              text=True, check=True)
        return done.stdout.strip()
    link = opened(plain)
    assert link.startswith(url_of(home) + "/#open=") and not said.exists()
    assert "#open=" in opened({**plain, "DISPLAY": ":0"}, "--json") and not said.exists()
    link = opened({**plain, "DISPLAY": ":0"})
    wait_until(said.exists, "the browser is started")
    wait_until(lambda: said.read_text(encoding="utf-8") == f"{home.path}/open.html\n", "with a file")
    assert link in (home.path / "open.html").read_text(encoding="utf-8")
    assert stat.S_IMODE(os.stat(home.path / "open.html").st_mode) == 0o600
    assert home.end() == 0


def both_halves_and_the_own_page_are_needed(scratch):
    home = scratch.home("a").init().start()
    inside = page(home)
    other = page(home)
    assert inside.get("/v1/status").json["author"] == home.author
    rows = [(dict(Cookie=None), 401), (dict(parley_page=None), 401), (dict(parley_page="0" * 64), 401),
            (dict(parley_page=other.headers["parley_page"]), 401), (dict(sec_fetch_site="same-site"), 403),
            (dict(sec_fetch_site="cross-site"), 403), (dict(Origin="http://127.0.0.1:1"), 403),
            (dict(Origin="null"), 403), (dict(Origin=None), 200),
            (dict(Host=f"localhost:{inside.port}", Origin=None), 200),
            (dict(Host=f"name.example:{inside.port}", Origin=None), 403),
            (dict(Cookie="a=b; " * 40 + inside.headers["Cookie"]), 200)]
    for headers, status in rows:
        answer = inside.get("/v1/status", **headers)
        assert answer.status == status, (headers, answer.status)
        if status != 200:
            answer.problem()
    post = {"text": "from the page"}
    assert inside.post("/v1/posts", post, Origin=None).status == 403
    assert inside.post("/v1/posts", post, Content_Type="text/plain").status == 415
    assert inside.post("/v1/posts", post).status == 201
    assert inside.get("/metrics").status == 200
    assert inside.post("/v1/openings", {}).status == 403, "a session makes itself anew"
    machine = {"request": "pdevice-00"}
    assert inside.post("/v1/devices", machine).status == 400, "a fresh session may change keys"
    assert home.end() == 0


def a_session_outlives_a_restart_and_ends_when_told(scratch):
    home = scratch.home("a").init().start("--api", "127.0.0.1:0")
    port = Visitor(url_of(home)).port
    inside = page(home)
    assert stat.S_IMODE(os.stat(home.path / "page.key").st_mode) == 0o600
    assert home.end() == 0
    home.start("--api", f"127.0.0.1:{port}")
    assert inside.get("/v1/status").status == 200
    other = page(home)
    assert inside.ask("DELETE", "/v1/sessions", Origin=None).status == 403
    left = inside.ask("DELETE", "/v1/sessions")
    assert left.status == 200 and "Max-Age=0" in left.headers["set-cookie"]
    assert inside.get("/v1/status").status == 401 == other.get("/v1/status").status
    assert home.end() == 0
    os.chmod(home.path / "page.key", 0o644)  # others may have read it: another is made
    key = (home.path / "page.key").read_bytes()
    home.start()
    assert (home.path / "page.key").read_bytes() != key
    assert stat.S_IMODE(os.stat(home.path / "page.key").st_mode) == 0o600
    assert home.end() == 0


def every_refusal_is_a_problem(scratch):
    home = scratch.home("a").init().start()
    inside = program(home)
    rows = [("GET", "/v1/none", None, 404), ("GET", "/none", None, 404), ("DELETE", "/v1/posts", None, 405),
            ("PUT", "/v1/posts", b"x", 405), ("OPTIONS", "/v1/posts", None, 405), ("GET", "/v1/openings", None, 405),
            ("POST", "/", {}, 404), ("GET", "/v1/timeline?limit=0", None, 400), ("GET", "/v1/events?kinds=x", None, 400),
            ("GET", "/v1/events?author=x", None, 400), ("GET", "/v1/posts/post1x", None, 400),
            ("POST", "/v1/posts", {"text": ""}, 400), ("POST", "/v1/posts", b"x" * 1100000, 413),
            ("GET", "/" + "x" * 600, None, 414), ("GET", "/v1/timeline?" + "a=b&" * 65, None, 400),
            ("POST", "/v1/follows", {"author": "nobody"}, 404)]
    for method, path, body, status in rows:
        answer = inside.ask(method, path, body)
        assert answer.status == status, (method, path[:40], answer.status, answer.bytes[:200])
        answer.problem()
    assert home.end() == 0


def a_stream_goes_on_where_it_was(scratch):
    home = scratch.home("a").init().start()
    inside = page(home)
    stream = Stream(inside, "/v1/events")
    kind, begin, data = stream.next()
    assert kind == "message" and data is None
    home.parley("post", "--ndjson", text=lines_of_posts(20))
    told = [stream.next() for _ in range(20)]
    assert [data["text"] for _, _, data in told] == [f"post {i}" for i in range(20)]
    assert len({cursor for _, cursor, _ in told}) == 20
    stream.close()
    home.parley("post", "--ndjson", text=lines_of_posts(25, 20))
    for at, headers in ((9, {"Last-Event-ID": told[9][1]}), (-1, {"last-event-id": begin}), (12, {})):
        after = "" if headers else "?after=" + told[at][1]
        stream = Stream(inside, "/v1/events" + after, **headers)
        assert stream.next()[2] is None
        texts = [stream.next()[2]["text"] for _ in range(at + 1, 45)]
        assert texts == [f"post {i}" for i in range(at + 1, 45)], texts
        stream.close()
    cursor = told[9][1]
    for wrong in ("x", "0-0-0", "0badcafe" + cursor[8:], cursor + "9" * 30, cursor[:9] + "999999-0"):
        stream = Stream(inside, "/v1/events?after=" + wrong)
        assert stream.next()[0] == "gap", wrong
        stream.close()
    home.end()
    home.start("--api", f"127.0.0.1:{inside.port}")  # another start: nobody knows what came between
    stream = Stream(inside, "/v1/events", **{"Last-Event-ID": cursor})
    assert stream.next()[0] == "gap"
    home.parley("post", "after the gap")
    assert stream.next()[2]["text"] == "after the gap"
    stream.close()
    assert home.end() == 0


def streams_of_different_age_do_not_disturb_each_other(scratch):
    home = scratch.home("a").init().start()
    inside = page(home)
    live = Stream(inside, "/v1/events")
    begin = live.next()[1]
    for part in range(10):
        home.parley("post", "--ndjson", text=lines_of_posts(30, 30 * part))
        late = Stream(inside, "/v1/events?after=" + begin)
        late.next()
        assert [late.next()[2]["text"] for _ in range(30 * part + 30)] == [f"post {i}" for i in range(30 * part + 30)]
        late.close()
    assert [live.next()[2]["text"] for _ in range(300)] == [f"post {i}" for i in range(300)]
    live.close()
    assert home.end() == 0


def a_stream_whose_reader_went_is_over_and_costs_nothing(scratch):
    home = scratch.home("a").init().start()
    inside = page(home)
    for _ in range(STREAMS_MAX + 1):  # one after the other
        stream = Stream(inside, "/v1/events")
        assert stream.next()[2] is None
        stream.close()
        home.parley("status")
    before = home.ticks()
    time.sleep(1)
    assert home.ticks() - before < 20, "the node is busy with nobody"
    assert home.end() == 0


def who_leaves_before_the_answer_is_not_worked_for(scratch):
    home = scratch.home("a").init().start()
    home.parley("post", "--ndjson", text=lines_of_posts(50_000))
    inside, long = page(home), "/v1/search?q=%21%21"  # signs stand in no index: 20,000 posts a turn

    def cost(waits):
        before = home.ticks()
        for _ in range(20):
            connection = inside.begin("GET", long)
            if waits:
                connection.getresponse().read()
            else:
                time.sleep(0.01)
            connection.close()
        time.sleep(1)
        return home.ticks() - before

    inside.get(long)
    wait_until(lambda: not inside.get("/v1/work").json["indexing"], "the index, which the first who reads begins")
    whole, left = cost(True), cost(False)
    assert whole >= 40, f"the search is too quick to tell: {whole}"
    assert left < 0.65 * whole, f"{left} of {whole} ticks for somebody who has left"
    assert home.end() == 0


def other_kinds_and_what_concerns_the_owner_are_told_to_who_asks(scratch):
    ann = scratch.home("ann").init().start()
    bob = scratch.home("bob").init().start(peers=[ann.address])
    bob.parley("follow", ann.author)
    ann.parley("follow", bob.author)
    post = ann.json("post", "hear me")[0]["post"]
    wait_until(lambda: "hear me" in bob.parley("timeline"), "the post at bob's")
    everything, posts = Stream(page(ann), "/v1/events?kinds=all"), Stream(page(ann), "/v1/events")
    everything.next(), posts.next()
    bob.parley("vote", post, "up")
    bob.parley("profile", "set", "--name", "Bob")
    bob.parley("post", "--reply", post, "I do")
    kind, _, data = everything.next()
    assert (kind, data["concerns"], data["vote_for"], data["value"]) == ("vote", "vote", post, 1), data
    kind, _, data = everything.next()
    assert (kind, data["name"]) == ("profile", "Bob") and "concerns" not in data
    kind, _, data = everything.next()
    assert (kind, data["concerns"], data["text"]) == ("message", "reply", "I do")
    kind, _, data = posts.next()
    assert data["text"] == "I do" and "concerns" not in data
    ann.parley("post", "--reply", post, "to myself")
    kind, _, data = everything.next()
    assert data["text"] == "to myself" and "concerns" not in data
    told = page(ann).get("/v1/notifications").json["posts"]
    assert [(one["author"], one["concerns"]) for one in told] == [(bob.author, what) for what in ("reply", "vote", "follow")]
    everything.close(), posts.close()
    assert ann.end() == bob.end() == 0


run(it_listens_by_itself_and_says_where, a_port_that_was_asked_for_is_that_or_none, what_is_everybodys_tells_nothing, the_page_is_one_script, no_address_brings_headers_along,
    a_link_lets_in_once, a_browser_is_given_a_file_and_no_secret_on_its_command_line, both_halves_and_the_own_page_are_needed, a_session_outlives_a_restart_and_ends_when_told,
    every_refusal_is_a_problem, a_stream_goes_on_where_it_was, streams_of_different_age_do_not_disturb_each_other,
    a_stream_whose_reader_went_is_over_and_costs_nothing, who_leaves_before_the_answer_is_not_worked_for, other_kinds_and_what_concerns_the_owner_are_told_to_who_asks)
