"""A served model and its queue, which streams and unary calls share."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from posewire.v1 import stream_pb2
from posewire.v1.image_pb2 import Image
from posewire_server.estimation.options import EstimateOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.access.caller import Caller
from posewire_server.serving.access.quotas import Account
from posewire_server.serving.errors import BusyError, queue_full
from posewire_server.serving.frames.frame_in_flight import (
    Failed,
    FrameInFlight,
    Outcome,
    Processed,
    Skipped,
)
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.scheduling.admission import check_deadline
from posewire_server.serving.scheduling.averages import MeanRate, Utilization
from posewire_server.serving.scheduling.byte_budget import ByteBudget
from posewire_server.serving.scheduling.load import ModelLoad
from posewire_server.serving.scheduling.network_gate import NetworkGate
from posewire_server.serving.scheduling.service_time import ServiceTime
from posewire_server.serving.scheduling.turns import Turns

# Peers whose unary calls may wait for one model at a time.
_MAX_PEERS = 64


class Estimator:
    """Runs frames of many callers through one model; belongs to the event loop that makes it.

    `waiting`: how many images of one peer's unary calls may wait besides those in progress.
    `stall_secs`: how long an inference may run, None for any time.
    """

    def __init__(
        self,
        model: ServedModel,
        *,
        limits: ImageLimits,
        waiting: int,
        budget: ByteBudget,
        stall_secs: float | None = None,
    ) -> None:
        self.model = model
        self.limits = limits
        self.budget = budget
        # Built once, because it lists the skeleton.
        self.description = model.to_proto()
        self._loop = asyncio.get_running_loop()
        self._turns: Turns[FrameInFlight] = Turns(depth=model.pipeline.max_in_progress)
        self._utilization = Utilization(model.pipeline.capacity)
        self._gate = NetworkGate(model.pipeline.capacity, self._utilization)
        self._service_time = ServiceTime()
        self._results = MeanRate()
        # A frame stays in one thread, because each handover to another has to wake up a processor.
        self._workers = ThreadPoolExecutor(self._turns.max_in_progress, thread_name_prefix="frame")
        # Hosts and named callers with unanswered unary calls, by name.
        self._peers: dict[str, Caller] = {}
        self._max_per_peer = model.pipeline.max_in_progress + waiting
        self._stall_secs = stall_secs

    def stream_caller(self, account: Account, *, latest: bool) -> Caller:
        """Create the caller of a stream, which may submit as many frames as its window holds.

        A frame of a LATEST stream waits undecoded while the network is busy with another of the
        stream, so that a newer one can still replace it.
        """
        pipeline = self.model.pipeline
        in_progress = pipeline.capacity if latest else pipeline.max_in_progress
        caller = Caller(
            account.name,
            max_in_progress=in_progress,
            keeps_newest=latest,
            share=account.share,
        )
        self._gate.join(caller)
        return caller

    async def estimate(
        self,
        image: Image,
        options: EstimateOptions,
        *,
        account: Account,
        size: int,
        due_at: float | None = None,
        request_id: str = "",
    ) -> Processed:
        """Wait for the poses in the image of a unary call; cancelling it withdraws the image.

        `size`: of the request, in bytes. `due_at`: its deadline, by `monotonic`. Raises `BusyError`
        if too many images or bytes are waiting, `DeadlineTooShortError` if its turn would surely
        come too late, and the `RequestError` of an image that failed.
        """
        settled = asyncio.Event()
        caller = self._unary_caller(account)
        check_deadline(due_at, caller.waiting, run_secs=self._service_time.secs)
        hold = self.budget.take(caller, size)
        if hold is None:
            raise self._queue_full()
        frame = FrameInFlight(
            caller,
            image,
            options,
            hold=hold,
            due_at=due_at,
            on_settled=settled.set,
            request_id=request_id,
        )
        self.submit(frame)
        try:
            await settled.wait()
        finally:
            self.withdraw(frame)
        if isinstance(frame.outcome, Failed):
            raise frame.outcome.error
        assert isinstance(frame.outcome, Processed), "only frames of streams are skipped"
        return frame.outcome

    def submit(self, frame: FrameInFlight) -> None:
        """Queue a frame; its outcome is set later, in this event loop."""
        superseded = self._turns.add(frame)
        if superseded is not None:
            superseded.settle(Skipped(stream_pb2.SKIP_REASON_SUPERSEDED))
        self._start_frames()

    def withdraw(self, frame: FrameInFlight) -> None:
        """Stop a frame before its next stage, unless it already has an outcome."""
        frame.withdraw()
        if not self._turns.remove(frame):
            self._gate.withdraw(frame)
        self._utilization.set_waiting(self._turns.waiting)
        self._forget_if_idle(frame.caller)

    @property
    def is_busy(self) -> bool:
        return self._turns.is_busy

    @property
    def load(self) -> ModelLoad:
        return ModelLoad(
            waiting=self._turns.waiting,
            busy=self._gate.busy,
            is_stalled=self._stall_secs is not None and self._gate.longest_secs > self._stall_secs,
            utilization=self._utilization.mean,
            results_per_sec=self._results.per_sec,
        )

    def close(self) -> None:
        """Start no more frames, without waiting for those in progress."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _unary_caller(self, account: Account) -> Caller:
        caller = self._peers.get(account.name)
        if caller is None and len(self._peers) < _MAX_PEERS:
            caller = Caller(
                account.name,
                max_in_progress=self.model.pipeline.max_in_progress,
                share=account.share,
            )
            self._gate.join(caller)
            self._peers[account.name] = caller
        if caller is None or caller.unanswered >= self._max_per_peer:
            raise self._queue_full()
        return caller

    def _forget_if_idle(self, caller: Caller) -> None:
        if not caller.unanswered and self._peers.get(caller.name) is caller:
            del self._peers[caller.name]

    def _start_frames(self) -> None:
        while (frame := self._turns.take()) is not None:
            self._workers.submit(self._process, frame)
        self._utilization.set_waiting(self._turns.waiting)

    def _process(self, frame: FrameInFlight) -> None:
        outcome = frame.process(self.model, self.limits, self._gate)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._finish, frame, outcome)

    def _finish(self, frame: FrameInFlight, outcome: Outcome | None) -> None:
        self._turns.finish(frame)
        if outcome is not None:
            frame.settle(outcome)
        if isinstance(outcome, Processed):
            self._results.count()
        self._forget_if_idle(frame.caller)
        self._start_frames()
        self._service_time.finish(is_full=self._turns.is_full, network_runs=frame.network_runs)

    def _queue_full(self) -> BusyError:
        return queue_full(self._turns.waiting_runs * self._service_time.secs)
