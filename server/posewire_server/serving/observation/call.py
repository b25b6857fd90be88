"""Calls in progress, and what observes them: metrics, the log and traces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import Any, NamedTuple, Protocol, TypeAlias

from google.protobuf.descriptor import ServiceDescriptor

from posewire.v1 import stream_pb2
from posewire_server.errors import RequestError
from posewire_server.serving.frames.frame_in_flight import Failed, Outcome, Processed, Skipped

Metadata: TypeAlias = Iterable[tuple[str, str | bytes]]
# Returns the value of an entry of the trailing metadata.
LoadReport: TypeAlias = Callable[[], bytes]

REQUEST_ID = "x-request-id"
LOAD_REPORT = "endpoint-load-metrics-bin"
# Also the ids of Envoy (a UUID) and of AWS (Root=1-...).
_VALID_ID = re.compile(r"[A-Za-z0-9._:/=+~-]{1,128}")
# gRPC ends a call about when its deadline comes.
_DEADLINE_SLACK_SECS = 0.02


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a service; `type` is its kind of call as gRPC's metrics name it."""

    service: str
    name: str
    type: str


def methods_of(service: ServiceDescriptor, *, name: str | None = None) -> dict[str, Method]:
    """Return the methods of a service, which may be served by another name."""
    return {
        each.name: Method(
            name or service.full_name,
            each.name,
            _TYPES[each.client_streaming, each.server_streaming],
        )
        for each in service.methods
    }


_TYPES = {
    (False, False): "unary",
    (True, False): "client_stream",
    (False, True): "server_stream",
    (True, True): "bidi_stream",
}

# Stands for all methods that the server does not have, since clients choose their names.
UNKNOWN_METHOD = Method("unknown", "unknown", "unknown")


class FrameLabels(NamedTuple):
    """The outcome of a frame, and its reason.

    `outcome`: result, error, skipped, or cancelled if the call ended first. `reason`: of the error
    or the skip; for cancelled, the status code of the call.
    """

    outcome: str
    reason: str = ""


RESULT = FrameLabels("result")
_SKIPPED = {
    value: FrameLabels("skipped", name.removeprefix("SKIP_REASON_"))
    for name, value in stream_pb2.SkipReason.items()
}


STAGES = ("image_decode", "queue", "letterbox", "inference", "grouping")


def stage_secs(processed: Processed) -> tuple[float, ...]:
    """Return the time of each of `STAGES`; a frame queues both before and after its decoding."""
    times = processed.estimate.times
    return (
        times.image_decode_secs or 0.0,
        processed.waited_secs + times.queue_secs,
        times.letterbox_secs,
        times.inference_secs,
        times.grouping_secs,
    )


class FrameEnd(NamedTuple):
    """The end of a frame; `age_secs`, since its arrival, and `processed` belong to a result."""

    labels: FrameLabels
    frame_id: int = 0
    age_secs: float = 0.0
    processed: Processed | None = None


class Observer(Protocol):
    """Observes all calls from the event loop; its methods neither wait nor raise."""

    def start_call(self, call: Call, metadata: Metadata) -> None: ...

    def end_frame(self, call: Call, frame: FrameEnd) -> None: ...

    def end_call(self, call: Call) -> None: ...


class Call:
    """One call and its frames, of which each accepted one ends exactly once.

    `peer` is gRPC's name of the connection, and `caller` the name of the call's token, or empty.
    `model` is the name of a served model, or empty. `due_at` is the deadline, by `monotonic`.
    `load_report` is what the trailing metadata reports of the server's load, or None.
    `code`, `reason` and `error`, a message, are those of the call's status.
    """

    def __init__(
        self,
        method: Method,
        observers: Sequence[Observer] = (),
        *,
        peer: str = "",
        metadata: Metadata = (),
        remaining_secs: float | None = None,
    ) -> None:
        self.method = method
        self.peer = peer
        self.request_id = _request_id(metadata)
        self.caller = ""
        self.model = ""
        self.load_report: LoadReport | None = None
        self.code = "OK"
        self.reason = ""
        self.error = ""
        self.frames: Counter[FrameLabels] = Counter()
        self._observers = observers
        self._unanswered = 0
        self._began_at = monotonic()
        self.due_at = None if remaining_secs is None else self._began_at + remaining_secs
        for observer in observers:
            observer.start_call(self, metadata)

    @property
    def age_secs(self) -> float:
        return monotonic() - self._began_at

    @property
    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """The entries that the trailing metadata contains, besides those of an error."""
        request_id = (REQUEST_ID, self.request_id)
        if self.load_report is None:
            return (request_id,)
        return (request_id, (LOAD_REPORT, self.load_report()))

    def accept_frame(self) -> None:
        self._unanswered += 1

    def end_frame(self, outcome: Outcome, *, frame_id: int, age_secs: float) -> None:
        """Record the outcome of a frame when it is sent."""
        match outcome:
            case Processed():
                self._end_frame(FrameEnd(RESULT, frame_id, age_secs, outcome))
            case Skipped(reason):
                self._end_frame(FrameEnd(_SKIPPED[reason], frame_id))
            case Failed(error):
                self._end_frame(FrameEnd(FrameLabels("error", error.reason), frame_id))

    def fail(self, error: RequestError) -> None:
        """Record the error with which the call ends."""
        self.code, self.reason, self.error = error.code, error.reason, str(error)

    def cancel(self) -> None:
        """Record that the client, the deadline or a shutdown ends the call."""
        is_late = self.due_at is not None and monotonic() > self.due_at - _DEADLINE_SLACK_SECS
        self.code, self.reason = "DEADLINE_EXCEEDED" if is_late else "CANCELLED", ""

    def end(self) -> None:
        """Record the end of the call, and of the frames that have no outcome."""
        left = FrameLabels("cancelled", self.code)
        if self.method.type == "unary" and self.reason not in ("", "DEADLINE_MISSED"):
            left = FrameLabels("error", self.reason)
        for _ in range(self._unanswered):
            self._end_frame(FrameEnd(left))
        for observer in self._observers:
            observer.end_call(self)

    def _end_frame(self, frame: FrameEnd) -> None:
        self._unanswered -= 1
        self.frames[frame.labels] += 1
        for observer in self._observers:
            observer.end_frame(self, frame)


def start_call(method: Method, observers: Sequence[Observer], context: Any) -> Call:
    """Start the call that has this gRPC context."""
    return Call(
        method,
        observers,
        peer=context.peer(),
        metadata=context.invocation_metadata() or (),
        remaining_secs=context.time_remaining(),
    )


def _request_id(metadata: Metadata) -> str:
    """Return the client's request id if it is valid, and a new one otherwise."""
    for key, value in metadata:
        if key == REQUEST_ID and isinstance(value, str) and _VALID_ID.fullmatch(value):
            return value
    return token_hex(16)
