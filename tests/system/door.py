"""What the tests of the page's door share: requests over TCP as a browser makes them."""
import http.client
import json
import urllib.parse

PROBLEM = "application/problem+json"


class Answer:
    def __init__(self, reply):
        self.status = reply.status
        self.headers = {name.lower(): value for name, value in reply.getheaders()}
        self.bytes = reply.read()

    @property
    def json(self):
        return json.loads(self.bytes)

    def problem(self):
        """The problem that a refusal must be."""
        assert self.headers["content-type"] == PROBLEM, self.headers
        problem = self.json
        assert set(problem) == {"status", "title", "detail", "error", "field"}, problem
        assert problem["status"] == self.status and problem["detail"] and problem["title"], problem
        return problem


class Visitor:
    """Whoever speaks to a node over TCP; headers are those of every request."""

    def __init__(self, url, **headers):
        self.url = url
        place = urllib.parse.urlsplit(url)
        self.host, self.port = place.hostname, place.port
        self.headers = headers

    def begin(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        said = {**self.headers, **headers}
        said = {name.replace("_", "-"): value for name, value in said.items() if value is not None}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            said.setdefault("Content-Type", "application/json")
        connection.request(method, path, body=body, headers=said)
        return connection

    def open(self, method, path, body=None, **headers):
        connection = self.begin(method, path, body, **headers)
        return connection, connection.getresponse()

    def ask(self, method, path, body=None, **headers):
        connection, reply = self.open(method, path, body, **headers)
        try:
            return Answer(reply)
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)


def url_of(home):
    return home.json("status")[0]["api"]


def program(home):
    """With the token of the home."""
    token = (home.path / "api.token").read_text(encoding="ascii")
    return Visitor(url_of(home), Authorization="Bearer " + token)


def secret_of(home):
    link = home.json("open")[0]["url"]
    url, secret = link.split("/#open=")
    assert url == url_of(home), link
    return secret


def page(home):
    """A browser that was let in by a link."""
    visitor = Visitor(url_of(home), Origin=url_of(home))
    entered = visitor.post("/v1/sessions", {"secret": secret_of(home)})
    assert entered.status == 201, entered.bytes
    cookie = entered.headers["set-cookie"].split(";")[0]
    return Visitor(url_of(home), Origin=url_of(home), Cookie=cookie, parley_page=entered.json["word"],
                   sec_fetch_site="same-origin")


class Stream:
    """Events of a stream: (kind, cursor, JSON or None)."""

    def __init__(self, visitor, path, **headers):
        self.connection, self.reply = visitor.open("GET", path, **headers)
        assert self.reply.status == 200, self.reply.read()
        assert self.reply.getheader("content-type") == "text/event-stream"

    def next(self):
        kind, cursor, data = "message", None, None
        while True:
            line = self.reply.readline().decode()
            assert line.endswith("\n"), "the stream ended"
            name, _, value = line.rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "id":
                cursor = value
            elif name == "data":
                data = json.loads(value)
            elif line == "\n" and cursor is not None:
                return kind, cursor, data

    def close(self):
        self.connection.close()
