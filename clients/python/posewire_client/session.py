"""One logical stream of frames over as many calls as it takes.

It does no input or output, knows no clock and no lock: the transports tell it what happened, and it
tells them what may be sent, what the caller gets next, and whether to call again. Frames keep their
place and their number over all calls, so outcomes come in the order of the frames.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from google.rpc.code_pb2 import INVALID_ARGUMENT
from google.rpc.error_details_pb2 import ErrorInfo

from posewire.v1 import pose_service_pb2, stream_pb2
from posewire_client.answer import outcome_from_message
from posewire_client.backoff import LONGEST_WAIT_SECS, Backoff, may_reopen
from posewire_client.errors import ProtocolError, StatusError, UnavailableError
from posewire_client.request import FrameRequest
from posewire_client.result import Outcome, Skipped
from posewire_client.status import DOMAIN


@dataclass(slots=True, eq=False)
class _Frame:
    """A frame until its outcome is taken."""

    frame_id: int
    request: FrameRequest | None
    outcome: stream_pb2.FrameOutcome | None = None
    holds_room: bool = False


class StreamSession:
    """Frames in, outcomes out; one call at a time carries them."""

    def __init__(self, config: stream_pb2.StreamConfig, backoff: Backoff) -> None:
        self.config = config
        self._latest = config.delivery_policy == stream_pb2.DELIVERY_POLICY_LATEST
        self._backoff = backoff
        self._frames: deque[_Frame] = deque()  # all whose outcome was not taken, in order
        self._to_send: deque[_Frame] = deque()
        self._in_flight: deque[_Frame] = deque()
        self._rooms_held = 0
        self._last_frame_id = 0
        self._frames_skipped = 0
        self._model_name = ""
        self._is_source_over = False
        self._source_error: BaseException | None = None
        self._is_over = False
        self._error: BaseException | None = None
        # Of the current call:
        self._call_number = 0
        self._window = 0  # until the server has started the stream
        self._max_image_bytes = 0
        self._is_draining = False
        self._had_outcome = False

    # Frames from the caller

    @property
    def wants_frame(self) -> bool:
        """Whether to take the next frame from the caller.

        With lossless delivery one frame waits at most; else the newest replaces the one that does.
        """
        return not self._is_over and (self._latest or not self._to_send)

    def put(self, request: FrameRequest) -> None:
        """The caller's next frame."""
        if self._latest and self._to_send:
            self._supersede(self._to_send.popleft())
        self._last_frame_id += 1
        request.message.frame.frame_id = self._last_frame_id
        frame = _Frame(self._last_frame_id, request)
        self._frames.append(frame)
        self._to_send.append(frame)

    def end_source(self, error: BaseException | None = None) -> None:
        """There are no more frames. An error is raised once all frames have their outcomes."""
        self._is_source_over = True
        self._source_error = error

    # The call

    def open_call(self) -> int:
        """A new call begins; its number."""
        self._call_number += 1
        self._window = 0
        self._is_draining = False
        self._had_outcome = False
        return self._call_number

    @property
    def is_started(self) -> bool:
        """Whether the server has opened the stream of the current call."""
        return self._window > 0

    def is_call_over(self, call_number: int) -> bool:
        """Whether that call has ended, or is to end with the session."""
        return self._is_over or call_number != self._call_number

    def is_sending_over(self, call_number: int) -> bool:
        """Whether that call is to be closed for sending."""
        return (
            self.is_call_over(call_number)
            or self._is_draining
            or (self._is_source_over and not self._to_send)
        )

    def next_request(self) -> pose_service_pb2.StreamPosesRequest | None:
        """The frame to send now, if there is one and the window has room."""
        while self._to_send and self._has_room():
            frame = self._to_send.popleft()
            assert frame.request is not None  # it goes when the outcome comes
            if 0 < self._max_image_bytes < frame.request.image_bytes:
                self._refuse(frame, frame.request)
                continue
            frame.holds_room = True
            self._rooms_held += 1
            self._in_flight.append(frame)
            return frame.request.message
        return None

    def receive(self, response: pose_service_pb2.StreamPosesResponse) -> None:
        """Take in what the server says; raises ProtocolError if it breaks the contract."""
        event = response.WhichOneof("event")
        if event == "started":
            self._start(response.started)
        elif event is not None and not self.is_started:
            raise ProtocolError(f"the server sent {event!r} before it had started the stream")
        elif event == "outcome":
            self._answer(response.outcome)
        elif event == "draining":
            self._is_draining = True

    def end_call(self, error: StatusError | None) -> float | None:
        """The call has ended, with OK if `error` is None.

        The seconds after which to call again, or None if the session is over.
        """
        was_draining = self._is_draining
        self._call_number += 1  # nothing more is sent on the old one
        self._window = 0
        self._requeue()
        if self._is_over:
            return None
        if error is not None and not may_reopen(error):
            self.fail(error)
            return None
        if self._is_source_over and not self._to_send:
            self._is_over = True
            return None
        if error is None and not was_draining:
            self.fail(ProtocolError("the server ended the stream with OK before its time"))
            return None
        return self._wait_before_reopening(error, was_draining=was_draining)

    def fail(self, error: BaseException) -> None:
        """The session is over; the error is raised after the outcomes that are there."""
        if not self._is_over:
            self._is_over = True
            self._error = error

    def close(self) -> None:
        """The caller wants no more."""
        self._is_over = True

    # Outcomes to the caller

    @property
    def is_over(self) -> bool:
        """Whether no more calls are made; outcomes may still be there to be taken."""
        return self._is_over

    @property
    def has_news(self) -> bool:
        """Whether `take` has something to say."""
        return self._is_over or bool(self._frames and self._frames[0].outcome)

    def take(self) -> Outcome | None:
        """The next outcome in order, or None if there is none (any more).

        Raises, in its turn, what ended the session or the source of frames.
        """
        if self._frames and (message := self._frames[0].outcome) is not None:
            frame = self._frames.popleft()
            self._leave_room(frame)
            outcome = outcome_from_message(
                message,
                model=self._model_name,
                frames_skipped_before=self._frames_skipped,
            )
            self._frames_skipped += isinstance(outcome, Skipped)
            return outcome
        if self._is_over and (error := self._error or self._source_error) is not None:
            raise error
        return None

    def _has_room(self) -> bool:
        # Outcomes that the caller has not taken hold room too, else a slow caller would pile them
        # up. The frame that all others wait for must not wait for them.
        return len(self._in_flight) < self._window and (
            self._rooms_held < self._window or self._to_send[0] is self._frames[0]
        )

    def _start(self, started: stream_pb2.StreamStarted) -> None:
        if self.is_started:
            raise ProtocolError("the server started the stream twice")
        if started.max_frames_in_flight < 1:
            raise ProtocolError("the server started the stream with a window of 0 frames")
        self._window = started.max_frames_in_flight
        if self.config.HasField("max_frames_in_flight"):
            self._window = min(self._window, self.config.max_frames_in_flight)
        self._max_image_bytes = started.max_image_bytes
        self._model_name = started.model.name

    def _answer(self, outcome: stream_pb2.FrameOutcome) -> None:
        oldest = self._in_flight[0].frame_id if self._in_flight else None
        if outcome.frame_id != oldest:
            raise ProtocolError(
                f"the server answered frame {outcome.frame_id}, but the oldest frame without an "
                f"outcome is {oldest}"
            )
        frame = self._in_flight.popleft()
        if not self._latest and _is_skipped_as_draining(outcome):
            return  # the frame has no outcome, so it is sent again
        frame.outcome = outcome
        frame.request = None
        self._had_outcome = True

    def _supersede(self, frame: _Frame) -> None:
        frame.request = None
        frame.outcome = stream_pb2.FrameOutcome(
            frame_id=frame.frame_id,
            skipped=stream_pb2.FrameSkipped(reason=stream_pb2.SKIP_REASON_SUPERSEDED),
        )

    def _refuse(self, frame: _Frame, request: FrameRequest) -> None:
        """Answer a frame that the server would not take, and that could end the whole call."""
        frame.outcome = _too_large(frame.frame_id, request.image_bytes, self._max_image_bytes)
        frame.request = None

    def _requeue(self) -> None:
        """Queue all frames without an outcome, in order, for the next call."""
        self._in_flight.clear()
        self._to_send = deque(frame for frame in self._frames if frame.outcome is None)
        for frame in self._to_send:
            self._leave_room(frame)
        while self._latest and len(self._to_send) > 1:
            self._supersede(self._to_send.popleft())

    def _leave_room(self, frame: _Frame) -> None:
        self._rooms_held -= frame.holds_room
        frame.holds_room = False

    def _wait_before_reopening(
        self, error: StatusError | None, *, was_draining: bool
    ) -> float | None:
        if self._had_outcome:
            self._backoff.reset()
        at_once = was_draining and self._backoff.is_fresh
        wait = self._backoff.next_wait(error.retry_after_secs if error else None)
        if at_once:
            return 0.0
        if wait is None and error is None and not self._to_send:
            return LONGEST_WAIT_SECS  # an idle stream, drained for its age time and again
        if wait is None:
            self.fail(error or UnavailableError("each stream was drained before any outcome came"))
        return wait


def _is_skipped_as_draining(outcome: stream_pb2.FrameOutcome) -> bool:
    return (
        outcome.WhichOneof("outcome") == "skipped"
        and outcome.skipped.reason == stream_pb2.SKIP_REASON_DRAINING
    )


def _too_large(frame_id: int, image_bytes: int, limit: int) -> stream_pb2.FrameOutcome:
    outcome = stream_pb2.FrameOutcome(frame_id=frame_id)
    status = outcome.error.status
    status.code = INVALID_ARGUMENT
    status.message = f"the image has {image_bytes} bytes; the server takes at most {limit}"
    status.details.add().Pack(
        ErrorInfo(domain=DOMAIN, reason="IMAGE_TOO_LARGE", metadata={"max_image_bytes": str(limit)})
    )
    return outcome
