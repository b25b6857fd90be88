"""One of several server processes, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from time import monotonic

from posewire_server.errors import InputError
from posewire_server.models.errors import ModelError
from posewire_server.serving.access.usage import SharedUsage
from posewire_server.serving.frames.model_reload import ReadModels
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.lifecycle import (
    Load,
    LoadingThread,
    end_process,
    first_signal,
    run_server,
)
from posewire_server.serving.server import Server, ServerOptions
from posewire_server.serving.service import SERVICE
from posewire_server.serving.workers.joint_health import JointHealth
from posewire_server.serving.workers.link import Link, Message, close_files
from posewire_server.serving.workers.open_sockets import (
    count_sockets,
    count_waiting,
    listening_sockets,
)

# Time between two reports, and at most this share of the time for them.
_REPORT_SECS = 0.25
_MAX_SHARE = 0.01
_MAX_ERROR = 4000


@dataclass(frozen=True, slots=True)
class Job:
    """What all workers do. The functions are pickled.

    `prepare` is called first, with the number of the process; `read_models` as in `serve`.
    """

    load: Load
    options: ServerOptions
    read_models: ReadModels | None
    prepare: Callable[[int], object]


def run_worker(job: Job, number: int, end: socket.socket, *, listens_first: bool) -> None:
    """Serve until SIGTERM, or until the parent ends or requests the end.

    `listens_first`: whether to listen while the models are loaded, or only once they are ready.
    """
    job.prepare(number)
    if asyncio.run(_run(job, number, end, listens_first=listens_first)):
        end_process(0)


async def _run(job: Job, number: int, end: socket.socket, *, listens_first: bool) -> bool:
    return await _Worker(job, number, end).run(listens_first=listens_first)


class _Worker:
    def __init__(self, job: Job, number: int, end: socket.socket) -> None:
        self._job = job
        self._number = number
        self._usage: SharedUsage | None = None
        self._end = end
        self._may_listen = asyncio.Event()
        self._changed = asyncio.Event()
        self._health = JointHealth(SERVICE, on_change=self._changed.set)
        self._loop = asyncio.get_running_loop()
        self._server: Server | None = None
        # The parent's last request to reload, the one that was read last, and the result of that.
        self._round = 0
        self._voted_round = 0
        self._decision: SimpleQueue[bool] = SimpleQueue()

    async def run(self, *, listens_first: bool) -> bool:
        """Return whether a thread is still busy afterwards."""
        with first_signal() as signalled:
            self._drain = signalled
            self._link = Link(self._end, receive=self._receive, on_end=signalled.set)
            try:
                return await self._serve(listens_first=listens_first)
            except (InputError, ModelError, OSError) as error:
                self._link.send("failed", message=" ".join(str(error).split())[:_MAX_ERROR])
                return False
            finally:
                self._link.close()

    async def _serve(self, *, listens_first: bool) -> bool:
        loading = LoadingThread(self._job.load)
        # Nothing else asks for its error if this process has to end before it listens.
        loading.done.add_done_callback(lambda done: done.exception())
        if not listens_first and await self._wait(asyncio.wait([loading.done])):
            loading.done.result()
        self._link.send("waiting")
        if not await self._wait(self._may_listen.wait()):
            return not loading.done.done()
        server = Server(
            self._job.options,
            read_models=None if self._job.read_models is None else self._read_models,
            confirm_models=self._confirm_models,
            health=self._health,
            usage=self._usage,
        )
        await server.start()
        if self._round:
            server.reloads.request()
        sockets, listeners = count_sockets(), listening_sockets(server.port)
        self._link.send("listening", listeners)
        reporting = asyncio.create_task(self._report(server, sockets, listeners))
        try:
            self._server = server
            return await run_server(server, loading, self._drain, lambda _: None)
        except BaseException:
            await server.stop()
            raise
        finally:
            reporting.cancel()

    async def _wait(self, awaitable: Awaitable[object]) -> bool:
        """Wait for this or the signal to drain; return False if that signal has come."""
        waiting = asyncio.ensure_future(awaitable)
        draining = asyncio.create_task(self._drain.wait())
        await asyncio.wait([waiting, draining], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        draining.cancel()
        return not self._drain.is_set()

    def _read_models(self, serving: Sequence[ServedModel]) -> Sequence[ServedModel]:
        assert self._job.read_models is not None
        self._voted_round, self._decision = self._round, SimpleQueue()
        return self._job.read_models(serving)

    def _confirm_models(self, models: Sequence[ServedModel] | None) -> bool:
        """Vote for these models, in the thread that reloads, and wait for the result."""
        versions = None if models is None else [(each.name, each.version) for each in models]
        vote = partial(self._link.send, "vote", round=self._voted_round, versions=versions)
        self._loop.call_soon_threadsafe(vote)
        return models is not None and self._decision.get()

    async def _report(self, server: Server, sockets: int, listeners: Sequence[int]) -> None:
        """Report connections, streams and health; `sockets`: those that are no connections."""
        while True:
            self._changed.clear()
            began = monotonic()
            connections = max(0, count_waiting(listeners) + count_sockets() - sockets)
            self._link.send(
                "load",
                at=began,
                connections=connections,
                streams=server.load.streams,
                is_serving=self._health.is_own_serving,
            )
            pause = max(_REPORT_SECS, (monotonic() - began) / _MAX_SHARE)
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)

    def _receive(self, message: Message, files: Sequence[int]) -> None:
        match message["kind"]:
            case "decide" if message["round"] == self._voted_round:
                self._decision.put(message["has_passed"])
            case "listen":
                self._usage = SharedUsage(
                    files[0], processes=self._job.options.processes, process=self._number
                )
                self._may_listen.set()
            case "health":
                self._health.show(message["is_serving"])
            case "drain":
                self._drain.set()
            case "reload":
                self._round = message["round"]
                if self._server is not None:
                    self._server.reloads.request()
            case "metrics" if self._server is not None:
                # Into memory, which never blocks.
                os.write(files[0], self._server.write_metrics())
                self._link.send("metrics", number=message["number"])
        close_files(files)
