"""The server's side of one stream: frames in, exactly one outcome for each, in order.

A reader appends frames to the unanswered ones, up to the window. The writer sends the outcome of
the oldest frame as soon as it is known.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic, time

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest, StreamPosesResponse
from posewire_server.serving.access.quotas import Account
from posewire_server.serving.errors import StreamOrderError, UnavailableError
from posewire_server.serving.frames.answer import to_duration
from posewire_server.serving.frames.estimator import Estimator
from posewire_server.serving.frames.frame_in_flight import (
    FrameInFlight,
    Outcome,
    Processed,
    Skipped,
)
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.messages.received import Received
from posewire_server.serving.messages.status import status_of
from posewire_server.serving.observation.call import UNKNOWN_METHOD, Call
from posewire_server.serving.scheduling.byte_budget import Hold
from posewire_server.serving.streams.session_config import SessionConfig
from posewire_server.serving.streams.stream_tracks import StreamTracks, captured_secs

# Streams that opened together do not end together: each has an age of its own.
_AGE_JITTER = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLife:
    """Time limits of a stream.

    `config_secs`: until the config arrives. A stream is drained after `idle_secs` without a frame
    or an outcome, and after `max_age_secs` (None: never), which varies by a fifth from stream to
    stream. `drain_secs`: from the drain to the end of the stream. `close_secs`: for the client to
    half-close a draining stream once all frames are answered, and to read what remains at the end
    of the stream.
    """

    config_secs: float = 10.0
    idle_secs: float = 300.0
    max_age_secs: float | None = None
    drain_secs: float = 20.0
    close_secs: float = 2.0

    @property
    def longest_secs(self) -> float | None:
        """The longest that a stream lasts; None if it has no maximum age."""
        if self.max_age_secs is None:
            return None
        oldest = self.max_age_secs * (1 + _AGE_JITTER)
        return self.config_secs + oldest + self.drain_secs + self.close_secs


class Session:
    """One stream after its config, in terms of messages and independent of gRPC."""

    def __init__(
        self,
        estimator: Estimator,
        config: SessionConfig,
        life: SessionLife | None = None,
        *,
        account: Account | None = None,
        call: Call | None = None,
        tracks: StreamTracks | None = None,
    ) -> None:
        self._call = call or Call(UNKNOWN_METHOD)
        self._estimator = estimator
        self._config = config
        self._tracks = tracks
        self._options = config.options if tracks is None else tracks.estimate_options
        self._life = life or SessionLife()
        self._max_age_secs = _jitter(self._life.max_age_secs)
        self._account = account or Account()
        self._caller = estimator.stream_caller(self._account, latest=config.latest)
        # Unanswered frames, oldest first: the reader appends, the writer removes.
        self._frames: deque[FrameInFlight] = deque()
        # Set by the writer whenever it has removed a frame.
        self._has_room = asyncio.Event()
        # Set whenever the writer may have something to send.
        self._wake = asyncio.Event()
        # The id of the last frame read, and the number of skipped frames among the outcomes sent.
        self._last_frame_id = 0
        self._skipped = 0
        # Whether `drain` was called, and whether StreamDraining has yet to be sent.
        self._is_draining = False
        self._owes_draining = False
        # Whether the time to drain has expired.
        self._is_expired = False
        # When a frame was last read or answered: changed by the reader and the writer.
        self._active_at = monotonic()
        # The task that runs `responses`, which waits in there while the client does not read.
        self._writer: asyncio.Task[None] | None = None
        # By name: "age", "idle", "drain", "close" and "end".
        self._timers: dict[str, asyncio.TimerHandle] = {}

    @property
    def model(self) -> ServedModel:
        return self._estimator.model

    async def responses(
        self, requests: AsyncIterator[Received[StreamPosesRequest]]
    ) -> AsyncGenerator[bytes, None]:
        """Yield all responses, serialized, to the requests that follow the config.

        Ends when the client has half-closed and every frame has its outcome. Raises
        `StreamOrderError` after the outcomes of the frames before the wrong message, and
        `UnavailableError` if the client does not close a draining stream in time.
        """
        self._writer = asyncio.current_task()
        if self._max_age_secs is not None:
            self._start_timer("age", self._max_age_secs, self.drain)
        self._start_timer("idle", self._life.idle_secs, self._drain_if_idle)
        reader = asyncio.create_task(self._read(requests))
        reader.add_done_callback(lambda _: self._wake.set())
        try:
            yield StreamPosesResponse(started=self._started()).SerializeToString()
            while self._frames or not reader.done():
                self._wake.clear()
                if self._owes_draining:
                    self._owes_draining = False
                    yield self._draining()
                elif self._frames and self._frames[0].outcome is not None:
                    yield self._outcome(self._frames[0])
                    self._frames.popleft()
                    self._has_room.set()
                    self._active_at = monotonic()
                    self._expect_close()
                elif self._is_expired:
                    raise UnavailableError(
                        "the stream is draining and its time has expired", reason="DRAINING"
                    )
                else:
                    await self._wake.wait()
            await reader
        finally:
            await self._end(reader)

    def drain(self) -> None:
        """Ask the client to reopen the stream elsewhere; skip frames that are read from now on."""
        if not self._is_draining:
            self._is_draining = self._owes_draining = True
            self._wake.set()
            self._start_timer("drain", self._life.drain_secs, self._expire)
            self._expect_close()

    def _drain_if_idle(self) -> None:
        is_processing = bool(self._frames) and self._frames[0].outcome is None
        idle_secs = 0.0 if is_processing else monotonic() - self._active_at
        if idle_secs < self._life.idle_secs:
            self._start_timer("idle", self._life.idle_secs - idle_secs, self._drain_if_idle)
        else:
            self.drain()

    def _expect_close(self) -> None:
        """Limit the time to half-close a draining stream once every frame is answered."""
        if self._is_draining and not self._frames:
            self._start_timer("close", self._life.close_secs, self._expire)

    def _expire(self) -> None:
        """Skip the unanswered frames, so that the client sends them elsewhere."""
        self._is_expired = True
        for frame in self._frames:
            frame.settle(Skipped(stream_pb2.SKIP_REASON_DRAINING))
            self._estimator.withdraw(frame)
        self._wake.set()
        self._start_timer("end", self._life.close_secs, self._cut_off)

    def _cut_off(self) -> None:
        """End the call of a client that does not read, which no status can reach."""
        if self._writer is not None:
            self._writer.cancel()

    def _start_timer(self, name: str, secs: float, call: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(secs, call)

    async def _end(self, reader: asyncio.Task[None]) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for frame in self._frames:
            self._estimator.withdraw(frame)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

    def _started(self) -> stream_pb2.StreamStarted:
        limits, config = self._estimator.limits, self._config
        frame_age, stream_age = config.max_frame_age_secs, self._max_age_secs
        return stream_pb2.StreamStarted(
            model=self._estimator.description,
            max_frames_in_flight=config.window,
            max_frame_age=None if frame_age is None else to_duration(frame_age),
            max_image_bytes=limits.max_bytes,
            max_image_pixels=limits.max_pixels,
            resumed=self._tracks is not None and self._tracks.is_resumed,
            max_stream_age=None if stream_age is None else to_duration(stream_age),
        )

    async def _read(self, requests: AsyncIterator[Received[StreamPosesRequest]]) -> None:
        async for received in requests:
            self._check_order(received.message)
            self._accept(received.message.frame, await self._take_hold(received.size))
            del received  # otherwise it keeps its image until the next one arrives
            while len(self._frames) >= self._config.window:
                self._has_room.clear()
                await self._has_room.wait()

    def _check_order(self, request: StreamPosesRequest) -> None:
        payload = request.WhichOneof("payload")
        if payload == "config":
            raise StreamOrderError("got a second config, want a frame", reason="CONFIG_REPEATED")
        if payload is None:
            raise StreamOrderError("got an empty message, want a frame", reason="MESSAGE_EMPTY")
        frame_id = request.frame.frame_id
        if frame_id <= self._last_frame_id:
            raise StreamOrderError(
                f"frame_id: got {frame_id} after {self._last_frame_id}, want a greater one",
                reason="FRAME_ID_NOT_INCREASING",
            )
        self._last_frame_id = frame_id

    async def _take_hold(self, size: int) -> Hold | None:
        """Hold the bytes of a frame, within the caller's rate.

        A lossless stream waits for room, a LATEST one does not.
        """
        budget = self._estimator.budget
        if self._config.latest:
            return budget.take(self._caller, size) if self._account.take_frame() else None
        await self._account.wait_for_frame()
        return await budget.wait(self._caller, size)

    def _accept(self, message: stream_pb2.Frame, hold: Hold | None) -> None:
        self._active_at = monotonic()
        self._call.accept_frame()
        frame = FrameInFlight(
            self._caller,
            message.image,
            self._options,
            hold=hold,
            frame_id=message.frame_id,
            captured_secs=captured_secs(message, read_at=time()),
            max_age_secs=self._config.max_frame_age_secs,
            on_settled=self._wake_for_oldest,
            request_id=self._call.request_id,
        )
        self._frames.append(frame)
        if self._is_draining:
            frame.settle(Skipped(stream_pb2.SKIP_REASON_DRAINING))
        elif hold is None:
            frame.settle(Skipped(stream_pb2.SKIP_REASON_OVERLOADED))
        else:
            self._estimator.submit(frame)

    def _wake_for_oldest(self) -> None:
        if self._frames[0].outcome is not None:
            self._wake.set()

    def _outcome(self, frame: FrameInFlight) -> bytes:
        age_secs = frame.age_secs
        settled = self._settled(frame)
        self._call.end_frame(settled, frame_id=frame.frame_id, age_secs=age_secs)
        token = b""
        if self._tracks is not None:
            token = self._tracks.due_token(is_draining=self._is_draining)
        if isinstance(settled, Processed):
            return settled.fields.outcome(
                settled.serialized_poses,
                total_secs=age_secs,
                frame_id=frame.frame_id,
                frames_skipped_before=self._skipped,
                resume_token=token,
            )
        outcome = stream_pb2.FrameOutcome(
            frame_id=frame.frame_id, frames_skipped_before=self._skipped, resume_token=token
        )
        if isinstance(settled, Skipped):
            outcome.skipped.reason = settled.reason
            self._skipped += 1
        else:
            outcome.error.status.CopyFrom(status_of(settled.error, locate=path_in_stream))
        return StreamPosesResponse(outcome=outcome).SerializeToString()

    def _settled(self, frame: FrameInFlight) -> Outcome:
        """Return the frame's outcome, with the tracks of its people."""
        assert frame.outcome is not None, "the writer waits for it"
        if self._tracks is None or not isinstance(frame.outcome, Processed):
            return frame.outcome
        return self._tracks.follow(frame.captured_secs, frame.outcome)

    def _draining(self) -> bytes:
        draining = stream_pb2.StreamDraining()
        if self._tracks is not None:
            draining.resume_token = self._tracks.token()
        return StreamPosesResponse(draining=draining).SerializeToString()


def _jitter(secs: float | None) -> float | None:
    return None if secs is None else secs * random.uniform(1 - _AGE_JITTER, 1 + _AGE_JITTER)


def path_in_stream(field: str) -> str:
    """Locate a field of a unary call, or of the config, or the config in `StreamPosesRequest`."""
    if field == "config":
        return field
    return f"frame.{field}" if field.startswith("image") else f"config.{field}"
