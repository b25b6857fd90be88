"""A worker as its parent sees it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

from posewire_server.serving.workers.ballot import Versions
from posewire_server.serving.workers.link import Link, Message, close_files, link_ends
from posewire_server.serving.workers.metrics_requests import MetricsRequests
from posewire_server.serving.workers.worker import Job, run_worker


class Parent(Protocol):
    """What workers report to."""

    def on_waiting(self, worker: Worker) -> None:
        """The worker waits for `listen`."""

    def on_listening(self, worker: Worker, listeners: Sequence[socket.socket]) -> None:
        """The worker listens; the parent owns these duplicates of its sockets."""

    def on_load(self, worker: Worker, load: int, at: float) -> None:
        """The worker had this load at that time; `is_serving` may have changed."""

    def on_vote(self, worker: Worker, number: int, versions: Versions) -> None:
        """The worker has loaded these versions, or failed to, in the ballot of that number."""

    def on_leave(self, worker: Worker) -> None:
        """The worker accepts no more connections."""

    def on_end(self, worker: Worker) -> None:
        """The worker's process has ended."""


class Worker:
    """A process with the processors `cpus`, started at once; belongs to one event loop.

    Raises `OSError` if the system cannot start another process.
    """

    def __init__(
        self, job: Job, number: int, parent: Parent, *, cpus: Collection[int], listens_first: bool
    ) -> None:
        self.number = number
        self.is_serving = False
        # When it began to serve, and why it could not.
        self.served_at: float | None = None
        self.failure = ""
        self._parent = parent
        self._metrics = MetricsRequests(self._send_metrics_request)
        ours, theirs = link_ends()
        self._process = multiprocessing.get_context("spawn").Process(
            target=run_worker,
            args=(job, number, theirs),
            kwargs={"listens_first": listens_first},
            name=f"posewire-{number}",
        )
        try:
            with theirs, _inherited(cpus):
                self._process.start()
        except OSError:
            ours.close()
            raise
        self.pid = self._process.pid or 0
        # The kernel closes this end before the connections, so that clients that connect again at
        # once do not wait at the listener of a dead process.
        self._link = Link(ours, receive=self._receive, on_end=lambda: parent.on_leave(self))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._process.sentinel, self._end)

    def listen(self, usage: int) -> None:
        """Let it listen, and count what callers use in this file."""
        self._link.send("listen", [usage])

    def drain(self) -> None:
        self._link.send("drain")

    def reload(self, number: int) -> None:
        """Let it read everything again, and vote in the ballot of that number."""
        self._link.send("reload", round=number)

    def decide(self, number: int, *, has_passed: bool) -> None:
        """Let it take over the models that it has voted for, or keep the old ones."""
        self._link.send("decide", round=number, has_passed=has_passed)

    def show_health(self, *, is_serving: bool) -> None:
        self._link.send("health", is_serving=is_serving)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """Close the link, and do not wait for the process to end."""
        self._loop.remove_reader(self._process.sentinel)
        self._link.close()

    async def ask_metrics(self) -> bytes:
        """Return its metrics as text of Prometheus; waits for as long as it does not answer."""
        return await self._metrics.ask()

    def _send_metrics_request(self, number: int, file: int) -> bool:
        return self._link.send("metrics", [file], number=number)

    def describe_end(self) -> str:
        code = self._process.exitcode or 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"

    def _receive(self, message: Message, files: list[int]) -> None:
        match message["kind"]:
            case "waiting":
                self._parent.on_waiting(self)
            case "listening":
                self._parent.on_listening(self, [socket.socket(fileno=each) for each in files])
                return
            case "load":
                self.is_serving = message["is_serving"]
                if self.is_serving and self.served_at is None:
                    self.served_at = monotonic()
                # Not their sum: a new connection counts once, before and after its stream opens.
                load = max(message["connections"], message["streams"])
                self._parent.on_load(self, load, message["at"])
            case "vote":
                self._parent.on_vote(self, message["round"], message["versions"])
            case "failed":
                self.failure = message["message"]
            case "metrics":
                self._metrics.answer(message["number"])
        close_files(files)

    def _end(self) -> None:
        self._loop.remove_reader(self._process.sentinel)
        self._process.join()
        self._link.read_rest()
        self._parent.on_leave(self)
        self._link.close()
        self.is_serving = False
        self._metrics.end()
        self._parent.on_end(self)


@contextmanager
def _inherited(cpus: Collection[int]) -> Iterator[None]:
    """Let a process that starts in the block run on these processors, without Ctrl-C and hangups.

    These signals reach all processes of a terminal, but the parent answers them. OpenVINO and
    others size their thread pools to the processors when they are imported.
    """
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)
