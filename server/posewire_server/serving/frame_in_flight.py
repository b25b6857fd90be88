"""A frame of a stream from when it is read until it has its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any

from posewire.v1 import stream_pb2
from posewire_server.estimation.pipeline import Estimate
from posewire_server.serving.admission import Admission


@dataclass(frozen=True, slots=True)
class Skipped:
    """The frame was not looked at."""

    reason: stream_pb2.SkipReason


@dataclass(frozen=True, slots=True, eq=False)
class Handled:
    """The frame was looked at, after it had waited for its turn."""

    estimate: Estimate
    waited_secs: float


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """The frame could not be handled."""

    error: BaseException


Answer = Handled | Skipped


class FrameInFlight:
    """`begun` tells whether it still waits for its turn."""

    def __init__(self, frame_id: int) -> None:
        self.frame_id = frame_id
        self.begun = False
        self.task: asyncio.Task[Answer] | None = None
        self._read_at = monotonic()
        self._skipped: Skipped | None = None
        self._admission: Admission | None = None

    @property
    def age_secs(self) -> float:
        return monotonic() - self._read_at

    def start(
        self, work: Coroutine[Any, Any, Answer], admission: Admission
    ) -> asyncio.Task[Answer]:
        """Lets the work begin, for which `admission` has given a place."""
        self._admission = admission
        self.task = asyncio.create_task(work)
        self.task.add_done_callback(self._ended)
        return self.task

    def skip(self, reason: stream_pb2.SkipReason) -> None:
        """Leaves the queue, unless the work has begun."""
        if self.begun:
            return
        self._skipped = Skipped(reason)
        if self.task is not None:
            self.task.cancel()
        self._leave()  # now: the place may be for the frame that takes this one's

    async def answer(self) -> Answer | Failed:
        """Waits for the work, if any was begun."""
        if self.task is not None:
            await asyncio.wait([self.task])
        if self._skipped is not None:
            return self._skipped
        assert self.task is not None, "a frame is either started or skipped"
        error = self.task.exception()
        return self.task.result() if error is None else Failed(error)

    def _ended(self, task: asyncio.Task[Answer]) -> None:
        self._leave()
        if task.cancelled():
            # What cancelled it knows this frame, and both would keep the image until the garbage
            # collector comes by.
            self.task = None

    def _leave(self) -> None:
        if self._admission is not None:
            self._admission.leave()
            self._admission = None
