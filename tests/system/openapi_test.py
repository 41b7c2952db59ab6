"""The OpenAPI document that the node serves, against the node: every path and method that there is
stands in it and no other, every answer is what it says, good ones and refusals."""
import json
import os
import pathlib
import re

from door import Stream, Visitor, program, secret_of, url_of
import nodes
from nodes import run, wait_until

ROOT = pathlib.Path(os.environ["PARLEY_SOURCE_ROOT"])
REFUSALS = {400, 401, 403, 404, 405, 409, 413, 415, 422, 500, 503, 507}


# --- as much of JSON Schema as the document uses ----------------------------------------------------

TYPES = {"string": str, "object": dict, "array": list, "null": type(None), "boolean": bool}
KNOWN = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "pattern",
         "minimum", "maximum", "maxItems", "description", "format", "$ref"}


class Wrong(Exception):
    pass


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check(document, schema, value, where=""):
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        check(document, resolve(document, schema), value, where)
        return
    if "anyOf" in schema:
        for one in schema["anyOf"]:
            try:
                check(document, one, value, where)
                return
            except Wrong as last:
                wrong = last
        raise wrong
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(is_type(value, one) for one in types):
        raise Wrong(f"{where}: {value!r} is not {types}")
    if "enum" in schema and value not in schema["enum"] or "const" in schema and value != schema["const"]:
        raise Wrong(f"{where}: {value!r} is none of {schema}")
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        raise Wrong(f"{where}: {value!r} is not {schema['pattern']}")
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise Wrong(f"{where}: {value} is out of bounds")
    if isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            raise Wrong(f"{where}: too many")
        for index, item in enumerate(value):
            check(document, schema.get("items", {}), item, f"{where}[{index}]")
    if isinstance(value, dict):
        check_object(document, schema, value, where)


def check_object(document, schema, value, where):
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    missing = set(schema.get("required", [])) - set(value)
    if missing:
        raise Wrong(f"{where}: {missing} missing in {value}")
    for name, item in value.items():
        if name in properties:
            check(document, properties[name], item, f"{where}.{name}")
        elif more is False:
            raise Wrong(f"{where}: {name} is not in the document")
        elif more is not True:
            check(document, more, item, f"{where}.{name}")


def resolve(document, schema):
    for name in schema["$ref"].removeprefix("#/").split("/"):
        document = document[name]
    return document


# --- asking by the document ---------------------------------------------------------------------------

class Asker:
    """Asks, and holds each answer against the document."""

    def __init__(self, home, document):
        self.document, self.visitor = document, program(home)
        self.asked = set()

    def operation(self, method, path):
        plain = path.split("?")[0]
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, plain) and method.lower() in methods and "{" not in template:
                return template, methods[method.lower()]
        for template, methods in self.document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(template))
            if re.fullmatch(pattern, plain) and method.lower() in methods:
                return template, methods[method.lower()]
        raise AssertionError(f"{method} {path} is not in the document")

    def ask(self, status, method, path, body=None, visitor=None, **headers):
        template, operation = self.operation(method, path)
        answer = (visitor or self.visitor).ask(method, path, body, **headers)
        where = f"{method} {path[:60]} {str(body)[:80]}"
        assert answer.status == status, f"{where}: {answer.status} {answer.bytes[:300]}"
        self.asked.add((method, template, status))
        said = operation["responses"].get(str(status))
        assert said, f"{where}: {status} is not in the document"
        if "$ref" in said:
            said = resolve(self.document, said)
        kind = answer.headers["content-type"]
        assert kind in said["content"], f"{where}: {kind}"
        for name in said.get("headers", {}):
            assert name in answer.headers or name == "parley-next", f"{where}: {name}"
        if kind.endswith("json") and kind != "application/x-ndjson":
            schema = said["content"][kind]["schema"]
            try:
                check(self.document, schema, answer.json)
            except Wrong as wrong:
                raise AssertionError(f"{where}: {wrong}") from wrong
        if isinstance(body, dict) and status < 300:
            check(self.document, operation["requestBody"]["content"]["application/json"]["schema"], body)
        return answer


def document_of(home):
    answer = Visitor(url_of(home)).get("/v1/openapi.json")
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    return answer.json


def every_route_stands_in_it_and_no_other(scratch):
    home = scratch.home("a").init().start()
    document = document_of(home)
    assert document == json.loads((ROOT / "node/shell/page/openapi.json").read_text(encoding="utf-8"))
    routes = set()
    source = (ROOT / "node/shell/api.c").read_text(encoding="utf-8")
    for method, path in re.findall(r'\{PARLEY_API_(\w+), "([^"]+)", (?:true|false)', source):
        routes.add((method.lower(), "/v1/" + path))
    assert len(routes) > 30
    routes |= {("get", path) for path in ("/metrics", "/healthz", "/readyz", "/v1/events", "/v1/openapi.json")}
    routes |= {("post", "/v1/openings"), ("post", "/v1/sessions"), ("delete", "/v1/sessions")}
    told = {(method, re.sub(r"\{\w+\}$", "", path)) for path, methods in document["paths"].items() for method in methods}
    assert told == routes, (told - routes, routes - told)
    assert home.end() == 0


def every_answer_is_what_it_says(scratch):
    ann = scratch.home("ann").init().start()
    bob = scratch.home("bob").init().start(peers=[ann.address])
    ann.parley("profile", "set", "--name", "Ann", "--about", "words")
    bob.parley("follow", ann.author)
    ann.parley("follow", bob.author)
    asker = Asker(ann, document_of(ann))
    good(asker, ann, bob)
    refusals(asker, ann)
    doors(asker, ann)
    for home in (ann, bob):
        assert home.end() == 0
    missing = {(method.upper(), path) for path, methods in asker.document["paths"].items() for method in methods}
    done = {(method, path) for method, path, status in asker.asked if status < 300}
    assert missing == done, missing - done


def good(asker, ann, bob):
    ask, me, other = asker.ask, ann.author, bob.author
    first = ask(201, "POST", "/v1/posts", {"text": "one #tag", "tags": ["tag"], "warning": "w", "language": "en",
                                           "mentions": [other]}).json["post"]
    wait_until(lambda: "one #tag" in bob.parley("timeline"), "the post at bob's")
    bob.parley("post", "--reply", first, "an answer"), bob.parley("echo", first, "look"), bob.parley("vote", first, "up")
    wait_until(lambda: len(asker.visitor.get("/v1/notifications").json["posts"]) == 4, "what concerns ann")
    answer = next(one for one in ann.json("timeline") if one.get("text") == "an answer")["post"]
    second = ask(201, "POST", "/v1/posts", {"text": "two", "quote": answer, "reply": answer}).json["post"]
    third = ask(201, "POST", "/v1/posts", {"text": "three", "time": 5}).json["post"]
    batch = ask(200, "POST", "/v1/posts/batch", b'{"text":"four"}\n{"text":"five"}\n{"text":""}', Content_Type="application/x-ndjson")
    for line, name in zip(batch.bytes.splitlines(), ("Batch", "Batch", "Problem"), strict=True):
        check(asker.document, asker.document["components"]["schemas"][name], json.loads(line))
    ask(201, "POST", "/v1/echoes", {"post": answer, "text": "hear"}), ask(201, "POST", "/v1/votes", {"post": answer, "value": -1})
    ask(201, "POST", "/v1/profile", {"name": "Ann", "about": "more words"})
    ask(200, "GET", "/v1/profile"), ask(200, "GET", "/v1/profiles/" + me)
    for path in ("status", "id", "peers", "follows", "devices", "digest", "digest?author=" + me, "people", "people?followed=1",
                 "people/" + other, "people/" + me, "fetching", "work", "lists", "check", "metrics", "healthz", "readyz", "openapi.json",
                 "authors/" + me[:20], "timeline?limit=2", "timeline?details=1", "timeline?hidden=1&details=1", "timeline?tag=tag",
                 "timeline?author=" + other, "notifications?details=1", "search?q=ONE&details=1", "search?q=nothing",
                 "posts/" + first, "posts/" + answer + "?details=1", "threads/" + first, "threads/" + second + "?details=1",
                 "why/" + first, "why/" + answer, "export?author=" + me):
        ask(200, "GET", "/v1/" + path)
    for path in ("/metrics", "/healthz", "/readyz"):
        ask(200, "GET", path)
    ask(201, "POST", "/v1/erasures", {"post": third})
    ask(200, "GET", "/v1/posts/" + third), ask(200, "GET", "/v1/why/" + third)
    ask(200, "POST", "/v1/purges", {"post": answer})
    ask(200, "GET", "/v1/threads/" + first + "?details=1"), ask(200, "GET", "/v1/why/" + answer)
    for body in ({"list": "mute", "word": "one"}, {"list": "mute", "author": other}, {"list": "allow", "post": first},
                 {"list": "allow", "author": other}, {"list": "block", "author": other}):
        ask(200, "POST", "/v1/lists", body)
        for path in ("lists", "people", "why/" + first, "timeline?hidden=1&details=1", "threads/" + first + "?details=1",
                     "notifications?details=1"):
            ask(200, "GET", "/v1/" + path)
        ask(200, "POST", "/v1/lists", {**body, "on": False})
    ask(200, "POST", "/v1/import", asker.visitor.get("/v1/export?author=" + me).bytes, Content_Type="application/octet-stream")
    ask(200, "POST", "/v1/follows", {"author": other, "private": True}), ask(200, "DELETE", "/v1/follows/" + other)
    ask(200, "POST", "/v1/peers", {"address": bob.address}), ask(200, "DELETE", "/v1/peers/" + bob.address.split("@")[0])
    made = ask(201, "POST", "/v1/invites", {"private": True, "days": 2}).json
    with_bob = program(bob)
    accepted = with_bob.ask("POST", "/v1/acceptances", {"invite": made["invite"], "private": True})
    assert accepted.status == 200 and accepted.json["author"] == me, accepted.bytes
    theirs = with_bob.ask("POST", "/v1/invites", {}).json
    ask(200, "POST", "/v1/acceptances", {"invite": theirs["invite"]})
    ask(200, "POST", "/v1/keys", {})
    ask(200, "POST", "/v1/reach", {"lan": False, "nat": False})
    ask(409, "POST", "/v1/reach", {"lan": True, "nat": False})  # it listens to this machine alone
    machines(asker, ann)
    stream = Stream(asker.visitor, "/v1/events?kinds=all")
    stream.next()
    entry = asker.document["components"]["schemas"]["Entry"]
    for words in (("post", "six"), ("vote", first, "up"), ("profile", "set", "--name", "A"), ("erase", second)):
        ann.parley(*words)
        check(asker.document, entry, stream.next()[2])
    stream.close()
    asker.asked.add(("GET", "/v1/events", 200))


def machines(asker, home):
    """One joins and is ended, one is ended before it has said anything."""
    ask, scratch = asker.ask, home.path.parent
    for number, last in enumerate(("", "?last=none")):
        second = nodes.Home(scratch, f"machine{number}")
        request = second.json("init", "--join", home.author)[0]["request"]
        root, away = home.path / "root.key", home.path / "root.away"
        root.rename(away)  # an owner who takes it away has taken it away, at once
        assert ask(409, "POST", "/v1/devices", {"request": request}).json["field"] == "root"
        assert not ask(200, "GET", "/v1/devices").json["root"]
        away.rename(root)
        assert ask(200, "GET", "/v1/devices").json["root"]
        ask(400, "POST", "/v1/devices", {"request": request[:-1] + ("0" if request[-1] != "0" else "1")})
        assert not ask(200, "POST", "/v1/devices", {"request": request, "check": True}).json["added"]
        assert len(asker.visitor.get("/v1/devices").json["devices"]) == number + 1
        told = ask(201, "POST", "/v1/devices", {"request": request}).json
        assert told["added"] and len(asker.visitor.get("/v1/devices").json["devices"]) == number + 2
        device = "/v1/devices/" + told["device"]
        if last == "":
            ask(404, "DELETE", device)
            second.start(peers=[home.address])
            second.parley("post", "from another machine")
            wait_until(lambda: "from another machine" in home.parley("timeline"), "its post")
            assert second.end() == 0
        ask(200, "DELETE", device + last), ask(409, "DELETE", device)
        ask(409, "POST", "/v1/devices", {"request": request})


def refusals(asker, home):
    ask, nobody = asker.ask, "post1" + "q" * 30
    wrong = home.author[:-1] + ("p" if home.author[-1] == "q" else "q")
    for path in ("timeline?limit=0", "timeline?details=2", "timeline?tag=", "timeline?before=x", "timeline?author=" + wrong,
                 "search", "search?q=%20", "search?q=" + "x%20" * 20, "notifications?limit=x", "people?limit=0", "people/" + wrong,
                 "posts/" + nobody, "threads/" + nobody, "why/" + nobody, "profiles/" + wrong, "authors/" + wrong,
                 "export", "check?cursor=zz", "digest?author=" + wrong, "events?kinds=x"):
        ask(400, "GET", "/v1/" + path)
    for path in ("people/nobody", "profiles/parley1x", "profiles/nobody", "authors/nobody", "timeline?author=nobody", "posts/nobody/1"):
        ask(404, "GET", "/v1/" + path)
    for path, body in (("posts", {}), ("posts", {"text": ""}), ("posts", {"text": "x", "tags": "x"}),
                       ("posts", {"text": "x", "mentions": [wrong]}), ("posts", {"text": "x", "mentions": [5]}),
                       ("posts", {"text": "x", "warning": 5}), ("posts", {"text": "x", "language": "x" * 40}),
                       ("posts", {"text": "x", "reply": nobody}), ("profile", {}), ("echoes", {}), ("votes", {"post": 5}),
                       ("erasures", {}), ("purges", {}), ("lists", {"list": "x"}), ("follows", {}), ("peers", {"address": "x"}),
                       ("invites", {"days": 0}), ("invites", {"days": 31}), ("invites", {"days": "x"}), ("invites", {"private": 1}),
                       ("reach", {}), ("reach", {"lan": 1, "nat": False}), ("reach", {"lan": True}),
                       ("acceptances", {}), ("acceptances", {"invite": 5}), ("acceptances", {"invite": "pinvite1"}),
                       ("devices", {}), ("devices", {"request": "pdevice-" + "0" * 258}), ("devices", {"request": "x", "check": "x"}),
                       ("acceptances", {"invite": "pinvite1x\x00"}), ("acceptances", {"invite": "x", "private": "x"})):
        ask(400, "POST", "/v1/" + path, body)
    ask(400, "DELETE", "/v1/devices/x"), ask(404, "DELETE", "/v1/devices/" + "0" * 64)
    this = next(one for one in asker.visitor.get("/v1/devices").json["devices"] if one["this"])["device"]
    ask(400, "DELETE", "/v1/devices/" + this), ask(400, "DELETE", "/v1/devices/" + this + "?last=x")
    ask(400, "DELETE", "/v1/peers/x"), ask(404, "DELETE", "/v1/follows/nobody")
    ask(404, "POST", "/v1/follows", {"author": "nobody"})
    for path in ("posts", "profile", "echoes", "votes", "erasures", "purges", "lists", "follows", "peers", "keys", "openings", "invites", "acceptances",
                 "reach", "devices"):
        ask(415, "POST", "/v1/" + path, b"x", Content_Type="text/plain")
    ask(413, "POST", "/v1/posts", b"x" * 1100000)
    for template, methods in asker.document["paths"].items():
        path = template.replace("{author}", home.author).replace("{post}", "x/1").replace("{key}", "x").replace("{device}", "x")
        for method, operation in methods.items():
            body = {} if method == "post" else None
            ask(403, method.upper(), path, body, Host="evil.example:80")
            if "401" in operation["responses"]:
                ask(401, method.upper(), path, {"secret": "0"} if body is not None else None, Authorization=None,
                    Origin=asker.visitor.url)
            statuses = {int(status) for status in operation["responses"]}
            assert {status for status in statuses if status >= 300} <= REFUSALS


def doors(asker, home):
    asker.ask(201, "POST", "/v1/openings", {})
    browser = Visitor(asker.visitor.url, Origin=asker.visitor.url)
    asker.ask(400, "POST", "/v1/sessions", {"secret": 5}, visitor=browser)
    asker.ask(415, "POST", "/v1/sessions", b"x", visitor=browser, Content_Type="text/plain")
    asker.ask(201, "POST", "/v1/sessions", {"secret": secret_of(home)}, visitor=browser)
    asker.ask(200, "DELETE", "/v1/sessions")


run(every_route_stands_in_it_and_no_other, every_answer_is_what_it_says)
