"""The local API over its socket, with nothing in between: a command's start takes longer than what
is measured here."""
import json
import socket


class Api:
    def __init__(self, home):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(home / "api.sock"))
        self.kept = b""

    def send(self, method, path, body=b"", kind="application/json"):
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        if method == "POST":
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)

    def until(self, mark):
        """Everything up to the mark."""
        while mark not in self.kept:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the node closed the API")
            self.kept += more
        found, self.kept = self.kept.split(mark, 1)
        return found

    def answer(self):
        head = self.until(b"\r\n\r\n").decode().lower()
        size = int(head.split("content-length:")[1].split("\r\n")[0])
        while len(self.kept) < size:
            self.kept += self.socket.recv(65536)
        body, self.kept = self.kept[:size], self.kept[size:]
        return int(head.split()[1]), body

    def call(self, method, path, value=None):
        self.send(method, path, b"" if value is None else json.dumps(value).encode())
        return self.answer()

    def entries(self):
        """On disk; cheap, so that asking often costs the node little."""
        _, body = self.call("GET", "/metrics")
        at = body.index(b"\nparley_entries ") + len(b"\nparley_entries ")
        return int(float(body[at:].split(b"\n", 1)[0]))

    def close(self):
        self.socket.close()
