"""The parent of several server processes: starts them, replaces those that die, ends all."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

from posewire_server.serving.access.usage import SharedUsage, usage_file
from posewire_server.serving.errors import ListenError, WorkerError
from posewire_server.serving.frames.model_reload import ReadModels
from posewire_server.serving.lifecycle import Load, first_signal
from posewire_server.serving.observation.metrics_endpoint import MetricsEndpoint
from posewire_server.serving.observation.observers import start_endpoint
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.streams.resume_key import ResumeKey
from posewire_server.serving.transport.listening import listen_address, reserve
from posewire_server.serving.workers.ballot import Ballot, Versions
from posewire_server.serving.workers.division import divide_options
from posewire_server.serving.workers.joint_metrics import JointMetrics
from posewire_server.serving.workers.process import Worker
from posewire_server.serving.workers.processors import divide_processors
from posewire_server.serving.workers.steering import MAX_PROCESSES, Steering
from posewire_server.serving.workers.worker import Job

_LOG = logging.getLogger(__name__)

# Backoff between the starts of a process that does not last.
_MIN_PAUSE_SECS = 0.5
_MAX_PAUSE_SECS = 30.0
_LASTING_SECS = 60.0
# For workers to end after the grace period; then they are killed.
_END_SECS = 5.0
# For all workers to load models again.
_BALLOT_SECS = 600.0


def serve_processes(
    processes: int,
    load: Load,
    options: ServerOptions,
    *,
    ready: Callable[[str], None],
    read_models: ReadModels | None = None,
    renew: Callable[[], object] = lambda: None,
    prepare: Callable[[int], object],
) -> None:
    """Serve like `serve`, in several processes; the functions are pickled.

    `prepare` is called at the start of each process, with its number. `renew` is called in this one
    when models have been read again: from then on `load` loads those. Raises `WorkerError` if one
    cannot start, and `ListenError` for an address that processes cannot share.
    """
    check_support(processes, options)
    job = Job(load, options, read_models, prepare)
    asyncio.run(_Supervisor(processes, job, renew).run(ready))


def check_support(processes: int, options: ServerOptions) -> None:
    """Raise `ListenError` if that many processes cannot share the address on this system."""
    if not sys.platform.startswith("linux"):
        raise ListenError(f"{processes} processes: only Linux can spread connections; want 1 here")
    if processes > MAX_PROCESSES:
        raise ListenError(f"got {processes} processes, want at most {MAX_PROCESSES}")
    if options.address.startswith("unix:"):
        raise ListenError(
            f"address {options.address}: {processes} processes cannot share a Unix socket; want "
            "HOST:PORT, or 1 process"
        )


class _Supervisor:
    """Runs the workers; it is what they report to."""

    def __init__(self, processes: int, job: Job, renew: Callable[[], object]) -> None:
        self._job = job
        self._renew = renew
        self._cpus = divide_processors(processes)
        self._workers: dict[int, Worker] = {}
        # Workers listen one after another: the kernel numbers their sockets in this order.
        self._waiting: deque[Worker] = deque()
        self._listening: Worker | None = None
        self._failures = [0] * processes
        self._ballot = Ballot(0, ())
        self._ballot.fail()
        self._is_serving = False
        self._is_draining = False
        self._has_started = False
        self._changed = asyncio.Event()
        self._failed = asyncio.Event()
        self._failure = ""
        self._metrics = JointMetrics()
        self._usage_file = usage_file(processes)
        self._usage = SharedUsage(self._usage_file, processes=processes, process=0)

    async def run(self, ready: Callable[[str], None]) -> None:
        with first_signal(self._kill) as signalled:
            kept = await self._reserve()
            self._steering = Steering(len(self._cpus))
            endpoint = await self._start_endpoint()
            try:
                with _hangups(self._reload):
                    await self._serve(signalled, ready)
                    self._is_draining = True
                    if not self._failure:
                        await self._drain()
            finally:
                self._kill()
                for worker in self._workers.values():
                    worker.close()
                self._steering.close()
                if endpoint is not None:
                    await endpoint.stop()
                for each in kept:
                    each.close()
        if self._failure:
            raise WorkerError(self._failure)

    async def _reserve(self) -> list[socket.socket]:
        """Fix what all workers have in common: the address and the key of resume tokens."""
        options = self._job.options
        key = options.resume_key
        key = ResumeKey() if key is None else key
        address, kept = await reserve(listen_address(options.address))
        options = replace(
            options,
            address=str(address),
            resume_key=key if isinstance(key, ResumeKey) else ResumeKey.read(key),
        )
        self._observe = options.observe
        self._job = replace(self._job, options=divide_options(options, len(self._cpus)))
        return kept

    async def _start_endpoint(self) -> MetricsEndpoint | None:
        if self._observe.metrics_address is None:
            return None
        endpoint = MetricsEndpoint(
            self._metrics.registry, self._observe.metrics_address, refresh=self._ask_metrics
        )
        is_started = await start_endpoint(endpoint, is_needed=self._observe.needs_metrics)
        return endpoint if is_started else None

    async def _ask_metrics(self) -> None:
        await self._metrics.refresh({i: each.ask_metrics for i, each in self._workers.items()})

    async def _serve(self, signalled: asyncio.Event, ready: Callable[[str], None]) -> None:
        """Return on the first signal, or when a worker cannot start."""
        for number in range(len(self._cpus)):
            self._start(number)
        ends = [asyncio.create_task(each.wait()) for each in (signalled, self._failed)]
        try:
            while not any(each.done() for each in ends):
                if not self._has_started and self._count_serving() == len(self._cpus):
                    self._has_started = True
                    ready(self._job.options.address)
                self._changed.clear()
                change = asyncio.create_task(self._changed.wait())
                await asyncio.wait([change, *ends], return_when=asyncio.FIRST_COMPLETED)
                change.cancel()
        finally:
            for each in ends:
                each.cancel()

    async def _drain(self) -> None:
        """Let all workers drain, and wait until they have ended."""
        # A duplicate would keep a socket open that its worker closes.
        self._steering.close()
        for each in self._workers.values():
            each.drain()
        options = self._job.options
        ends_at = monotonic() + options.lame_duck_secs + options.limits.life.drain_secs + _END_SECS
        while self._workers and monotonic() < ends_at:
            await self._wait_for_change(ends_at - monotonic())
        for each in self._workers.values():
            _LOG.warning("process %d (pid %d) does not end, killing it", each.number, each.pid)

    async def _wait_for_change(self, secs: float) -> None:
        self._changed.clear()
        await asyncio.wait([change := asyncio.create_task(self._changed.wait())], timeout=secs)
        change.cancel()

    def _start(self, number: int) -> None:
        if self._is_draining:
            return
        self._metrics.count_start(number)
        try:
            worker = Worker(
                self._job,
                number,
                self,
                cpus=self._cpus[number],
                listens_first=not self._has_started,
            )
        except OSError as error:
            if not self._has_started:
                raise WorkerError(f"process {number}: cannot start it: {error}") from error
            self._start_later(number, f"process {number}: cannot start it: {error}")
            return
        self._workers[number] = worker
        _LOG.info("started process %d, pid %d", number, worker.pid)

    def _reload(self) -> None:
        """Let all workers reload; models take over if all workers have loaded the same."""
        self._end_ballot()
        self._ballot = Ballot(self._ballot.number + 1, self._workers)
        for each in self._workers.values():
            each.reload(self._ballot.number)
        asyncio.get_running_loop().call_later(_BALLOT_SECS, self._end_ballot, self._ballot)

    def _end_ballot(self, ballot: Ballot | None = None) -> None:
        ballot = ballot or self._ballot
        if ballot.has_passed is None:
            ballot.fail()
            self._announce(ballot)

    def _announce(self, ballot: Ballot) -> None:
        if ballot.has_passed is None:
            return
        for each in self._workers.values():
            each.decide(ballot.number, has_passed=ballot.has_passed)
        if ballot.has_passed:
            self._renew()

    def _kill(self) -> None:
        for each in self._workers.values():
            each.kill()

    def _count_serving(self) -> int:
        return sum(each.is_serving for each in self._workers.values())

    def on_waiting(self, worker: Worker) -> None:
        self._waiting.append(worker)
        self._let_one_listen()

    def on_listening(self, worker: Worker, listeners: Sequence[socket.socket]) -> None:
        if self._is_draining:
            for each in listeners:
                each.close()
            return
        self._steering.join(worker.number, listeners)
        worker.show_health(is_serving=self._is_serving)
        if self._ballot.has_passed is not False:
            worker.reload(self._ballot.number)  # it may have loaded models before the others
        self._listening = None
        self._let_one_listen()

    def on_load(self, worker: Worker, load: int, at: float) -> None:
        self._steering.report(worker.number, load=load, at=at, is_serving=worker.is_serving)
        self._show_health()
        self._changed.set()

    def on_vote(self, worker: Worker, number: int, versions: Versions) -> None:
        ballot = self._ballot
        if number == ballot.number and ballot.has_passed is None:
            ballot.vote(worker.number, versions)
            self._announce(ballot)
        else:
            has_passed = number == ballot.number and bool(ballot.has_passed)
            worker.decide(number, has_passed=has_passed)

    def on_leave(self, worker: Worker) -> None:
        self._steering.leave(worker.number)

    def on_end(self, worker: Worker) -> None:
        del self._workers[worker.number]
        self._usage.clear(worker.number)
        self._changed.set()
        if self._ballot.has_passed is None:
            self._ballot.leave(worker.number)
            self._announce(self._ballot)
        if worker in self._waiting:
            self._waiting.remove(worker)
        if self._listening is worker:
            self._listening = None
        self._let_one_listen()
        self._show_health()
        if not self._is_draining:
            self._replace(worker)

    def _let_one_listen(self) -> None:
        if self._listening is None and self._waiting:
            self._listening = self._waiting.popleft()
            self._listening.listen(self._usage_file)

    def _show_health(self) -> None:
        """Let all workers report SERVING while one serves."""
        is_serving = self._count_serving() > 0
        if is_serving != self._is_serving:
            self._is_serving = is_serving
            for each in self._workers.values():
                each.show_health(is_serving=is_serving)

    def _replace(self, worker: Worker) -> None:
        """Start a worker in place of one that has ended, unless none can start."""
        end = worker.failure or f"ended with {worker.describe_end()}"
        if worker.served_at is None and not (self._has_started and self._count_serving()):
            cause = worker.failure or f"process {worker.number} (pid {worker.pid}): {end}"
            self._failure = self._failure or cause
            self._failed.set()
            return
        if worker.served_at is not None and monotonic() - worker.served_at > _LASTING_SECS:
            self._failures[worker.number] = 0
        self._start_later(worker.number, f"process {worker.number} (pid {worker.pid}): {end}")

    def _start_later(self, number: int, failure: str) -> None:
        """Start a process after a pause that doubles with each failure in a row."""
        pause_secs = min(_MAX_PAUSE_SECS, _MIN_PAUSE_SECS * 2 ** min(self._failures[number], 10))
        self._failures[number] += 1
        _LOG.warning("%s; starting another in %g s", failure, pause_secs)
        asyncio.get_running_loop().call_later(pause_secs, self._start, number)


@contextmanager
def _hangups(reload: Callable[[], object]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
