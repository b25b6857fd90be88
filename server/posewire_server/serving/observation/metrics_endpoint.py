"""An HTTP endpoint for Prometheus, in the event loop of the server.

The server of prometheus_client starts a thread for every connection and waits for as long as the
client likes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest

from posewire.address import Address
from posewire_server.serving.errors import ListenError
from posewire_server.serving.transport.listening import check_is_free, listen_address

_PATH = "/metrics"
# A connection beyond these closes the oldest one.
_MAX_CONNECTIONS = 16
_MAX_HEAD_BYTES = 8 << 10
# From the connection to the last byte of the answer.
_REQUEST_SECS = 10.0
# The share of the time in which metrics are written; more frequent requests wait.
_MAX_SHARE = 0.1


class MetricsEndpoint:
    """Answers GET requests for /metrics, one on each connection.

    `refresh` is awaited before the registry is read. Connections, the size of a request, its time
    and the share of the processor are bounded.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        address: str,
        *,
        refresh: Callable[[], Awaitable[object]] | None = None,
        request_secs: float = _REQUEST_SECS,
    ) -> None:
        self._registry = registry
        self._refresh = refresh
        self._text = address
        self._request_secs = request_secs
        self._server: asyncio.Server | None = None
        # The tasks of open connections, oldest first.
        self._connections: dict[asyncio.Task[None], None] = {}
        # Those of connections that were closed for newer ones, until they end.
        self._evicted: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()
        self._may_write_at = 0.0
        self.address = address

    async def start(self) -> None:
        """Listen. Raises `ListenError` if that is not possible."""
        try:
            address = await check_is_free(listen_address(self._text))
            self._server = await self._listen(address)
        except ListenError as error:
            raise ListenError(f"metrics {error}") from error
        except OSError as error:
            raise ListenError(
                f"metrics address {self._text}: cannot listen there ({error.strerror}), want "
                "HOST:PORT of this machine that no other program listens on"
            ) from error

    async def _listen(self, address: Address) -> asyncio.Server:
        if address.path:
            return await asyncio.start_unix_server(self._serve, address.path, limit=_MAX_HEAD_BYTES)
        server = await asyncio.start_server(
            self._serve, address.host, address.port, limit=_MAX_HEAD_BYTES
        )
        port = server.sockets[0].getsockname()[1]
        self.address = str(Address(address.host, port))
        return server

    async def stop(self) -> None:
        """Close the listener and all connections."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, *self._evicted, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs this in a task"
        if len(self._connections) >= _MAX_CONNECTIONS:
            oldest = next(iter(self._connections))
            # At once: others that come before it ends have to close another one each.
            del self._connections[oldest]
            self._evicted.add(oldest)
            oldest.cancel()
        self._connections[task] = None
        try:
            await asyncio.wait_for(self._answer(reader, writer), self._request_secs)
        except (asyncio.TimeoutError, OSError, asyncio.CancelledError):
            writer.transport.abort()  # not `close`, which waits for a client that does not read
        finally:
            self._connections.pop(task, None)
            self._evicted.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            status, body = "400 Bad Request", b"want an HTTP request of at most 8 KB\n"
        else:
            status, body = await self._respond(head)
        lines = (
            f"HTTP/1.1 {status}",
            f"Content-Type: {CONTENT_TYPE_PLAIN_0_0_4}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        is_head = status.startswith("200") and head.startswith(b"HEAD ")
        writer.write("\r\n".join((*lines, "", "")).encode() + (b"" if is_head else body))
        writer.close()
        await writer.wait_closed()

    async def _respond(self, head: bytes) -> tuple[str, bytes]:
        """Return the status and the body of the response to a request."""
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return "405 Method Not Allowed", b"want GET\n"
        if path != _PATH.encode():
            return "404 Not Found", f"metrics are at {_PATH}\n".encode()
        return "200 OK", await self._write_metrics()

    async def _write_metrics(self) -> bytes:
        async with self._writing:
            await asyncio.sleep(self._may_write_at - monotonic())
            if self._refresh is not None:
                await self._refresh()
            began_at = monotonic()
            text = generate_latest(self._registry)
            ended_at = monotonic()
            self._may_write_at = ended_at + (ended_at - began_at) * (1 / _MAX_SHARE - 1)
        return text
