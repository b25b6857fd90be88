"""The server's side of one stream: frames in, exactly one outcome for each, in order.

A reader takes frames from the client, a task for each frame waits for its turn and estimates, and
a sorter puts the outcomes in order. The window bounds all three.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from posewire.v1 import stream_pb2
from posewire.v1.image_pb2 import Image
from posewire.v1.pose_service_pb2 import StreamPosesRequest, StreamPosesResponse
from posewire_server.serving.answer import duration, poses_to_proto, stage_times_to_proto
from posewire_server.serving.errors import StreamOrderError, UnavailableError
from posewire_server.serving.estimator import Estimator
from posewire_server.serving.frame_in_flight import Answer, Failed, FrameInFlight, Handled, Skipped
from posewire_server.serving.session_config import SessionConfig
from posewire_server.serving.status import forget_locals, status_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLife:
    """`max_age_secs`: when the stream is drained; None is never.

    `drain_secs`: how long the client then has for its half-close.
    """

    max_age_secs: float | None = None
    drain_secs: float = 20.0


class Session:
    """One stream after its config; knows messages, but not what carries them."""

    def __init__(
        self, estimator: Estimator, config: SessionConfig, life: SessionLife | None = None
    ) -> None:
        self._estimator = estimator
        self._config = config
        self._life = life or SessionLife()
        # A frame of a LATEST stream waits here and not decoded in front of the network, so that a
        # newer one can still take its place.
        at_work = estimator.model.pipeline.capacity if config.latest else config.window
        self._turn = asyncio.Semaphore(at_work)
        self._window = asyncio.Semaphore(config.window)
        self._in_flight: asyncio.Queue[FrameInFlight | None] = asyncio.Queue()
        self._outbox: asyncio.Queue[StreamPosesResponse | None] = asyncio.Queue()
        self._unanswered: set[asyncio.Task[Answer]] = set()
        self._newest: FrameInFlight | None = None
        self._last_frame_id = 0
        self._skipped = 0
        self._draining = False
        self._expired = False
        self._timers: list[asyncio.TimerHandle] = []

    async def responses(
        self, requests: AsyncIterator[StreamPosesRequest]
    ) -> AsyncGenerator[StreamPosesResponse, None]:
        """All that the server says, for the requests that follow the config.

        Ends when the client has half-closed and every frame has its outcome. Raises
        `StreamOrderError` after the outcomes of the frames before the disorder, and
        `UnavailableError` if the client does not close a draining stream in time.
        """
        yield StreamPosesResponse(started=self._started())
        if self._life.max_age_secs is not None:
            self._call_later(self._life.max_age_secs, self.drain)
        reader = asyncio.create_task(self._read(requests))
        sorter = asyncio.create_task(self._sort(reader))
        try:
            while (response := await self._outbox.get()) is not None:
                yield response
                if response.HasField("outcome"):
                    self._window.release()
            if self._expired:
                raise UnavailableError("the server drains and its time is up", reason="DRAINING")
            await sorter
        finally:
            await self._abandon(reader, sorter)

    def drain(self) -> None:
        """Tells the client to go elsewhere; frames that are read from now on are skipped."""
        if not self._draining:
            self._draining = True
            self._outbox.put_nowait(StreamPosesResponse(draining=stream_pb2.StreamDraining()))
            self._call_later(self._life.drain_secs, self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._outbox.put_nowait(None)

    def _call_later(self, secs: float, call: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(secs, call))

    async def _abandon(self, *tasks: asyncio.Task[None]) -> None:
        for timer in self._timers:
            timer.cancel()
        remaining = [*tasks, *self._unanswered]
        for task in remaining:
            task.cancel()
        await asyncio.gather(*remaining, return_exceptions=True)

    def _started(self) -> stream_pb2.StreamStarted:
        limits, config = self._estimator.limits, self._config
        frame_age, stream_age = config.max_frame_age_secs, self._life.max_age_secs
        return stream_pb2.StreamStarted(
            model=self._estimator.description,
            max_frames_in_flight=config.window,
            max_frame_age=None if frame_age is None else duration(frame_age),
            max_image_bytes=limits.max_bytes,
            max_image_pixels=limits.max_pixels,
            max_stream_age=None if stream_age is None else duration(stream_age),
        )

    async def _read(self, requests: AsyncIterator[StreamPosesRequest]) -> None:
        try:
            await self._window.acquire()
            async for request in requests:
                await self._accept(request)
                await self._window.acquire()
        finally:
            self._in_flight.put_nowait(None)

    async def _accept(self, request: StreamPosesRequest) -> None:
        _check_is_frame(request)
        frame = request.frame
        if frame.frame_id <= self._last_frame_id:
            raise StreamOrderError(
                f"frame_id: got {frame.frame_id} after {self._last_frame_id}, want a greater one",
                reason="FRAME_ID_NOT_INCREASING",
            )
        self._last_frame_id = frame.frame_id
        read = FrameInFlight(frame.frame_id)
        if self._draining:
            read.skip(stream_pb2.SKIP_REASON_DRAINING)
        elif await self._has_place():
            self._start(read, frame.image)
        else:
            read.skip(stream_pb2.SKIP_REASON_OVERLOADED)
        self._in_flight.put_nowait(read)

    async def _has_place(self) -> bool:
        if self._config.latest:
            if self._newest is not None:
                self._newest.skip(stream_pb2.SKIP_REASON_SUPERSEDED)
            return self._estimator.admission.try_enter()
        await self._estimator.admission.enter()
        return True

    def _start(self, frame: FrameInFlight, image: Image) -> None:
        task = frame.start(self._answer(frame, image), self._estimator.admission)
        self._unanswered.add(task)
        task.add_done_callback(self._unanswered.discard)
        self._newest = frame

    async def _answer(self, frame: FrameInFlight, image: Image) -> Answer:
        async with self._turn, self._estimator.admission.turn:
            frame.begun = True
            waited = frame.age_secs
            max_age = self._config.max_frame_age_secs
            if max_age is not None and waited > max_age:
                return Skipped(stream_pb2.SKIP_REASON_TOO_OLD)
            estimate = await self._estimator.model.pipeline.estimate_image(
                image, self._config.options, limits=self._estimator.limits
            )
            return Handled(estimate, waited)

    async def _sort(self, reader: asyncio.Task[None]) -> None:
        try:
            while (frame := await self._in_flight.get()) is not None:
                outcome = await self._outcome(frame)
                self._outbox.put_nowait(StreamPosesResponse(outcome=outcome))
            await reader
        finally:
            self._outbox.put_nowait(None)

    async def _outcome(self, frame: FrameInFlight) -> stream_pb2.FrameOutcome:
        outcome = stream_pb2.FrameOutcome(
            frame_id=frame.frame_id, frames_skipped_before=self._skipped
        )
        answer = await frame.answer()
        if isinstance(answer, Failed):
            outcome.error.status.CopyFrom(status_of(answer.error, path_of=path_in_stream))
            forget_locals(answer.error)
        elif isinstance(answer, Skipped):
            outcome.skipped.reason = answer.reason
            self._skipped += 1
        else:
            outcome.result.CopyFrom(self._result(answer, frame))
        return outcome

    def _result(self, answer: Handled, frame: FrameInFlight) -> stream_pb2.FrameResult:
        return stream_pb2.FrameResult(
            poses=poses_to_proto(answer.estimate.poses),
            model_version=self._estimator.model.version,
            image_width=answer.estimate.frame.width,
            image_height=answer.estimate.frame.height,
            stage_times=stage_times_to_proto(
                answer.estimate.times, waited_secs=answer.waited_secs, total_secs=frame.age_secs
            ),
        )


def path_in_stream(path: str) -> str:
    """The path in `StreamPosesRequest` of a field of `EstimatePosesRequest`."""
    return f"frame.{path}" if path.startswith("image") else f"config.{path}"


def _check_is_frame(request: StreamPosesRequest) -> None:
    payload = request.WhichOneof("payload")
    if payload == "config":
        raise StreamOrderError("got a second config, want a frame", reason="CONFIG_REPEATED")
    if payload is None:
        raise StreamOrderError("got an empty message, want a frame", reason="MESSAGE_EMPTY")
