"""A server of model files on a real socket, with the faults that servers have."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one request.

    `sent`: close the connection after that many bytes of the body, or with `stalls` keep it open
    and silent. `length`: the Content-Length, "true" for the real one. `ranges`: whether to obey
    Range. `starts`: the first byte of a range, "asked" for the requested one. `total`: the size of
    the file that a range claims.
    """

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    sent: int | None = None
    stalls: bool = False
    length: int | str | None = "true"
    starts: int | str = "asked"
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: dict[str, str]


class ModelServer:
    """Serves `replies[path]` in turn and then repeats the last; other paths are not found."""

    def __init__(self, replies: dict[str, list[Reply]] | None = None) -> None:
        self.replies = replies or {}
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ranges(self) -> list[str | None]:
        """Return the Range header of each request so far."""
        return [request.headers.get("range") for request in self.requests]

    def next_reply(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            waiting = self.replies.get(request.path, [Reply(status=404)])
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    owner: ModelServer
    # Joined when the server is closed, so that no test leaves a thread behind.
    daemon_threads = False


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.owner.next_reply(Request(self.path, headers))
        asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        if reply.status == 200 and reply.ranges and asked:
            self._send_range(reply, int(asked[1]))
        else:
            self._send(reply, reply.status, reply.content, {})

    def _send_range(self, reply: Reply, asked: int) -> None:
        total = len(reply.content) if reply.total is None else reply.total
        if asked >= len(reply.content):
            self._send(reply, 416, b"", {"Content-Range": f"bytes */{total}"})
            return
        start = asked if isinstance(reply.starts, str) else reply.starts
        span = {"Content-Range": f"bytes {start}-{len(reply.content) - 1}/{total}"}
        self._send(reply, 206, reply.content[start:], span)

    def _send(self, reply: Reply, status: int, body: bytes, span: dict[str, str]) -> None:
        self.send_response(status)
        length = len(body) if isinstance(reply.length, str) else reply.length
        lengths = {} if length is None else {"Content-Length": str(length)}
        for name, value in {**lengths, **span, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body[: reply.sent])
            self.wfile.flush()
        except ConnectionError:
            return  # The client closed the connection.
        if reply.stalls:
            self.server.owner.stopping.wait(30)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the tests' output."""
