"""A real server on loopback, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import grpc

from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.server import Server, ServerOptions, running_server

_PATIENCE_SECS = 20


class ServerThread:
    """A server on an event loop in another thread; `model` is its default model."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, model: ServedModel) -> None:
        self.server = server
        self.model = model
        self._loop = loop

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def begin(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Run the coroutine on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@contextmanager
def serving(*models: ServedModel, options: ServerOptions | None = None) -> Iterator[ServerThread]:
    """Run a server for these models."""
    started: Future[ServerThread] = Future()
    ended = threading.Event()

    async def run() -> None:
        async with running_server(*models, options=options) as server:
            started.set_result(ServerThread(server, asyncio.get_running_loop(), models[0]))
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        yield started.result(_PATIENCE_SECS)
    finally:
        ended.set()
        thread.join(_PATIENCE_SECS)


@contextmanager
def channel_to(server: ServerThread) -> Iterator[grpc.Channel]:
    """Open a channel that sends large messages."""
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(server.address, options=options) as channel:
        grpc.channel_ready_future(channel).result(_PATIENCE_SECS)
        yield channel
