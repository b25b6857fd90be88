"""One logical stream of frames, carried by as many calls as it takes.

The session does no I/O and has no lock. A transport reports events to it (a frame, a response, the
end of a call) and asks it what to send, what to yield, when to call again, and how long to wait for
the server. Frames keep their place and their number across calls, so outcomes arrive in the order
of the frames.

However slow the caller is, the session holds at most a window of frames that are in flight or whose
outcome has not been taken, and one that waits to be sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from google.rpc.code_pb2 import INVALID_ARGUMENT
from google.rpc.error_details_pb2 import ErrorInfo

from posewire.v1 import pose_service_pb2, stream_pb2
from posewire_client.backoff import MAX_DELAY_SECS, Backoff, checked_timeout, may_reopen
from posewire_client.errors import (
    DeadlineExceededError,
    ProtocolError,
    StatusError,
    UnavailableError,
)
from posewire_client.pending_frames import PendingFrame, PendingFrames
from posewire_client.request import FrameRequest
from posewire_client.response import skeleton_from_message
from posewire_client.result import Outcome
from posewire_client.skeleton import Skeleton
from posewire_client.status import DOMAIN


class StreamSession:
    """Takes frames and yields outcomes, over one call at a time."""

    def __init__(
        self,
        config: stream_pb2.StreamConfig,
        backoff: Backoff,
        *,
        timeout_secs: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # With the newest resume token that the server sent.
        self.config = config
        self._is_latest = config.delivery_policy == stream_pb2.DELIVERY_POLICY_LATEST
        self._backoff = backoff
        self._timeout_secs = checked_timeout(timeout_secs)
        self._clock = clock
        self._frames = PendingFrames(is_latest=self._is_latest)
        self._model_name = ""
        self._skeleton: Skeleton | None = None
        self._was_ever_started = False
        self._is_source_finished = False
        self._source_error: BaseException | None = None
        self._is_finished = False
        self._error: BaseException | None = None
        # What ended the last call; None if it ended as announced, by a drain.
        self.pause_error: StatusError | None = None
        # State of the current call:
        self._call_number = 0
        self._is_call_open = False
        self._waiting_since = 0.0  # the last response, or when one became due
        self._timeout_error: DeadlineExceededError | None = None
        self._window = 0  # 0 until the server has started the stream
        self._max_image_bytes = 0
        self._is_draining = False
        self._had_outcome = False

    # Frames from the caller

    @property
    def is_put_ready(self) -> bool:
        """Whether to read the next frame from the caller.

        At most one frame waits to be sent. With LATEST the newest frame replaces it; a lossless
        session lets the caller wait.
        """
        return not self._is_finished and (self._is_latest or not self._frames.to_send)

    def put(self, request: FrameRequest) -> None:
        """Add the caller's next frame."""
        self._frames.put(request)

    def finish_source(self, error: BaseException | None = None) -> None:
        """Record that there are no more frames. `take` raises the error after all outcomes."""
        self._begin_wait()
        self._is_source_finished = True
        self._source_error = error

    # The call

    def open_call(self) -> int:
        """Start a new call and return its number."""
        self._call_number += 1
        self._window = 0
        self._is_draining = False
        self._had_outcome = False
        self._timeout_error = None
        self._is_call_open = True
        self._waiting_since = self._clock()
        return self._call_number

    @property
    def is_started(self) -> bool:
        """Whether the server has started the stream of the current call."""
        return self._window > 0

    def is_call_finished(self, call_number: int) -> bool:
        """Whether that call has ended or is to be abandoned."""
        return self._is_finished or call_number != self._call_number

    def should_half_close(self, call_number: int) -> bool:
        """Whether that call has nothing more to send."""
        if self.is_call_finished(call_number) or self._is_draining:
            return True
        return self.is_started and self._is_source_finished and not self._frames.to_send

    def next_request(self) -> pose_service_pb2.StreamPosesRequest | None:
        """Return the frame to send now, or None if there is none or the window is full."""
        while (frame := self._frames.next_to_send(self._window)) is not None:
            assert frame.request is not None  # it has no outcome
            if 0 < self._max_image_bytes < frame.request.image_bytes:
                # Fail it here: the server would reject it, and could end the whole call.
                frame.settle(_too_large(frame, self._max_image_bytes))
                continue
            self._begin_wait()
            self._frames.in_flight.append(frame)
            return frame.request.message
        return None

    def receive(self, response: pose_service_pb2.StreamPosesResponse) -> None:
        """Process a response; raises ProtocolError if it breaks the contract."""
        self._waiting_since = self._clock()
        event = response.WhichOneof("event")
        if event == "started":
            self._start(response.started)
        elif event is not None and not self.is_started:
            raise ProtocolError(f"the server sent {event!r} before it started the stream")
        elif event == "outcome":
            self._record_outcome(response.outcome)
        elif event == "draining":
            self._is_draining = True
            self._keep_token(response.draining.resume_token)

    def end_call(self, error: StatusError | None) -> float | None:
        """Record the end of the call, with OK if `error` is None.

        Return the delay in seconds before the next call, or None if the session is finished.
        """
        was_draining = self._is_draining
        self._is_call_open = False
        self._call_number += 1  # so that nothing more is sent on the old call
        self._frames.requeue()
        was_idle = self.is_started and not self._frames.is_send_ready(self._window)
        self._window = 0
        if self._is_finished:
            return None
        self.pause_error = error
        if self._timeout_error is not None:
            error = self.pause_error = self._timeout_error
        elif error is not None and not may_reopen(error):
            self.fail(error)
            return None
        if self._is_source_finished and not self._frames.to_send:
            self._is_finished = True
            return None
        if error is None and not was_draining:
            self.fail(ProtocolError("the server ended the stream with OK before its last frame"))
            return None
        if was_idle:
            self._backoff.extend()  # nothing says that it did not work
        return self._delay_before_reopening(error, was_draining=was_draining, was_idle=was_idle)

    @property
    def secs_to_timeout(self) -> float:
        """How long to wait for the server before `time_out`. While nothing is due, the whole time.

        So a transport that waits this long and asks again never misses the timeout.
        """
        if not self._is_waiting:
            return self._timeout_secs
        return self._waiting_since + self._timeout_secs - self._clock()

    def time_out(self) -> None:
        """Record that the server was silent for too long. The transport then cancels the call.

        This finishes the session, but not if it was reopening a stream: it tries that again.
        """
        what = "sent nothing" if self.is_started else "started no stream"
        self._timeout_error = DeadlineExceededError(
            f"the server {what} within {self._timeout_secs} s"
        )
        if self.is_started or not self._was_ever_started:
            self.fail(self._timeout_error)

    @property
    def has_timed_out(self) -> bool:
        """Whether `time_out` was reported for the current call."""
        return self._timeout_error is not None

    def fail(self, error: BaseException) -> None:
        """Finish the session. `take` raises the error after the outcomes that have arrived."""
        if not self._is_finished:
            self._is_finished = True
            self._error = error

    def close(self) -> None:
        """Finish the session on behalf of the caller."""
        self._is_finished = True

    # Outcomes to the caller

    @property
    def is_finished(self) -> bool:
        """Whether there are no more calls to make. Outcomes may be left to take."""
        return self._is_finished

    @property
    def is_take_ready(self) -> bool:
        """Whether `take` has an outcome, an error or the end of the stream to report."""
        return self._is_finished or self._frames.is_take_ready

    def take(self) -> Outcome | None:
        """Return the next outcome in order, or None if there is none.

        After the last outcome, raises the error that finished the session or the source of frames.
        """
        if (outcome := self._frames.take(self._model_name, self._skeleton)) is not None:
            return outcome
        if self._is_finished and (error := self._error or self._source_error) is not None:
            raise error
        return None

    @property
    def _is_waiting(self) -> bool:
        """Whether a response or the end of the call is due."""
        if not self._is_call_open or self._timeout_error is not None:
            return False
        return (
            not self.is_started
            or bool(self._frames.in_flight)
            or self.should_half_close(self._call_number)
        )

    def _begin_wait(self) -> None:
        """Start the timeout, unless it is running."""
        if not self._is_waiting:
            self._waiting_since = self._clock()

    def _start(self, started: stream_pb2.StreamStarted) -> None:
        if self.is_started:
            raise ProtocolError("the server started the stream twice")
        if started.max_frames_in_flight < 1:
            raise ProtocolError("the server started the stream with a window of 0 frames")
        self._was_ever_started = True
        self._window = started.max_frames_in_flight
        if self.config.HasField("max_frames_in_flight"):
            self._window = min(self._window, self.config.max_frames_in_flight)
        self._max_image_bytes = started.max_image_bytes
        self._model_name = started.model.name
        self._skeleton = skeleton_from_message(started.model.skeleton)

    def _record_outcome(self, outcome: stream_pb2.FrameOutcome) -> None:
        in_flight = self._frames.in_flight
        oldest = in_flight[0].frame_id if in_flight else None
        if outcome.frame_id != oldest:
            raise ProtocolError(
                f"the server answered frame {outcome.frame_id}, but the oldest frame without an "
                f"outcome is {oldest}"
            )
        self._keep_token(outcome.resume_token)
        frame = in_flight.popleft()
        if not self._is_latest and _is_skipped_as_draining(outcome):
            return  # without an outcome the frame is sent again
        frame.settle(outcome)
        self._had_outcome = self._had_outcome or not _is_skipped_as_draining(outcome)

    def _keep_token(self, token: bytes) -> None:
        if token:
            self.config.resume_token = token

    def _delay_before_reopening(
        self, error: StatusError | None, *, was_draining: bool, was_idle: bool
    ) -> float | None:
        if self._had_outcome:
            self._backoff.reset()
        is_immediate = was_draining and self._backoff.is_fresh
        delay = self._backoff.next_delay(error.retry_after_secs if error else None)
        if is_immediate:
            return 0.0
        if delay is None and error is None and was_idle:
            return MAX_DELAY_SECS  # an idle stream that the server drains for its age, repeatedly
        if delay is None:
            self.fail(error or UnavailableError("every stream was drained before any outcome"))
        return delay


def _is_skipped_as_draining(outcome: stream_pb2.FrameOutcome) -> bool:
    return (
        outcome.WhichOneof("outcome") == "skipped"
        and outcome.skipped.reason == stream_pb2.SKIP_REASON_DRAINING
    )


def _too_large(frame: PendingFrame, limit: int) -> stream_pb2.FrameOutcome:
    assert frame.request is not None  # it has no outcome
    outcome = stream_pb2.FrameOutcome(frame_id=frame.frame_id)
    status = outcome.error.status
    status.code = INVALID_ARGUMENT
    status.message = (
        f"the image has {frame.request.image_bytes} bytes; the server takes at most {limit}"
    )
    status.details.add().Pack(
        ErrorInfo(domain=DOMAIN, reason="IMAGE_TOO_LARGE", metadata={"max_image_bytes": str(limit)})
    )
    return outcome
