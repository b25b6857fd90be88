"""A TCP proxy that cuts its connections in mid-message and holds back answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

_CHUNK_BYTES = 1 << 14
_START_SECS = 20
_CLOSE_AT_ONCE = struct.pack("ii", 1, 0)  # struct linger: on, for 0 seconds


class Proxy:
    """Forwards connections to `target` in a thread of its own until the block ends."""

    def __init__(self, target: str) -> None:
        self.redirect(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.cuts = 0
        self.address = ""

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def redirect(self, target: str) -> None:
        """Forward new connections to another target."""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))

    def cut(self) -> None:
        """Cut each connection in the middle of the next bytes that its client sends."""
        self._loop.call_soon_threadsafe(self._cut)

    def hold(self, secs: float) -> None:
        """Read nothing from the server for this time, as a slow reader does."""
        self._loop.call_soon_threadsafe(self._hold, secs)

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_START_SECS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_CHUNK_BYTES)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # it runs in one
        self._tasks.add(task)
        try:
            upstream = await asyncio.open_connection(*self._target, limit=_CHUNK_BYTES)
            connection = _Connection((reader, writer), upstream)
            self._connections.add(connection)
            await connection.forward()
            self._cut_off(connection)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    def _cut_off(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        self.cuts += connection.was_cut

    def _cut(self) -> None:
        for each in self._connections:
            each.is_cut_next = True

    def _hold(self, secs: float) -> None:
        for each in self._connections:
            each.may_answer.clear()
            self._loop.call_later(secs, each.may_answer.set)


class _Connection:
    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._client, self._server = client, server
        self.is_cut_next = self.was_cut = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def forward(self) -> None:
        """Forward both ways until either side ends, or it is cut."""
        ways = [asyncio.create_task(self._forward_requests())]
        ways.append(asyncio.create_task(self._forward_answers()))
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for _, writer in (self._client, self._server):
                self._end(writer)

    async def _forward_requests(self) -> None:
        while chunk := await self._client[0].read(_CHUNK_BYTES):
            if self.is_cut_next:
                self._server[1].write(chunk[: len(chunk) // 2])
                await self._server[1].drain()
                self.was_cut = True
                return
            self._server[1].write(chunk)
            await self._server[1].drain()

    async def _forward_answers(self) -> None:
        while chunk := await self._server[0].read(_CHUNK_BYTES):
            await self.may_answer.wait()
            self._client[1].write(chunk)
            await self._client[1].drain()

    def _end(self, writer: asyncio.StreamWriter) -> None:
        if self.was_cut and not writer.is_closing():
            own: socket.socket = writer.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_AT_ONCE)
        writer.transport.abort()
