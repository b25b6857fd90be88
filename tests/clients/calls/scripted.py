"""A server whose answers the model's name in the request chooses.

It gives what a healthy server cannot be made to give at will. These names can be used in all calls
but ListModels:

    REASON          ends the call with that reason of the contract and its code
    REASON once     does so in the first call, and answers from the second call on
    code NAME       ends the call with the code alone, as a proxy does
    code NAME once
    silent          never answers
    waits           never answers, and lets the test know that it was called

and these only in streams, where `first call` means that later ones process every frame:

    frames REASON   processes no frame: each gets an error with that reason
    frames 99       likewise, with a code that is newer than the client
    tracks          finds a person with a track in every frame, if the client asks for tracks
    smooths         likewise, if the client asks for smoothing with the options of the table
    skips           skips the frames as TOO_OLD, OVERLOADED and with a reason newer than the client
    drains          first call: one result, then drains
    resets          first call: one result, then INTERNAL without details
    crashes         one result, and INTERNAL with the reason INTERNAL after the last frame
    starts late     starts the stream when the test allows it, and then processes every frame
    newer           sends an event and an outcome of kinds that are newer than the client
    wrong order     sends the outcome of a frame that was not sent
    no start        sends an outcome before it starts the stream
    ends early      one result, and OK after the last frame
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from posewire.v1 import pose_service_pb2, stream_pb2
from posewire.v1.pose_service_pb2_grpc import PoseServiceServicer
from tests.reference.scripted_service import (
    Request,
    Response,
    StatusRaised,
    abort,
    answer_one,
    draining,
    error_for,
    result_for,
    skip_for,
    small_model,
    started,
    status,
)

RETRY_MILLIS = 20
_WAIT_SECS = 120

_CONTRACT = Path(__file__).parents[3] / "proto" / "posewire" / "v1" / "pose_service.proto"


def contract_reasons() -> dict[str, str]:
    """Return every reason of the contract with its code, from the table in its comments."""
    code, reasons = "", {}
    for line in _CONTRACT.read_text().splitlines():
        if heading := re.match(r"//   ([A-Z_]+)( {2,}|$)", line):
            code = heading[1]
        elif reason := re.match(r"//     ([A-Z_]+)( {2,}|$)", line):
            reasons[reason[1]] = code
    return reasons


REASONS = contract_reasons()


@dataclass(frozen=True, slots=True)
class Stream:
    """A call of StreamPoses after its config."""

    config: stream_pb2.StreamConfig
    requests: Iterator[Request]
    is_first: bool
    may_start: threading.Event


class CallScripts(PoseServiceServicer):
    """Answers the calls of one client, one call after the other."""

    def __init__(self) -> None:
        self.called = threading.Event()  # a call waits for ever
        self.may_start = threading.Event()
        self._calls: Counter[tuple[str, str]] = Counter()

    def ListModels(self, request: Any, context: Any) -> pose_service_pb2.ListModelsResponse:
        return pose_service_pb2.ListModelsResponse(models=[small_model()], default_model="small")

    def GetModel(self, request: Any, context: Any) -> pose_service_pb2.GetModelResponse:
        self._answer("GetModel", request.model, context)
        return pose_service_pb2.GetModelResponse(model=small_model())

    def EstimatePoses(self, request: Any, context: Any) -> pose_service_pb2.EstimatePosesResponse:
        self._answer("EstimatePoses", request.model, context)
        return answer_one(request)

    def StreamPoses(self, requests: Iterator[Request], context: Any) -> Iterator[Response]:
        config = next(requests)
        model = config.config.model
        if script := _STREAMS.get(model):
            is_first = self._is_first("StreamPoses", model)
            try:
                yield from script(Stream(config.config, requests, is_first, self.may_start))
            except StatusRaised as raised:
                abort(context, raised.status)
        elif model.startswith("frames "):
            yield from _fail_frames(requests, model.removeprefix("frames "))
        else:
            self._answer("StreamPoses", model, context)
            yield from _process(requests)

    def _is_first(self, method: str, model: str) -> bool:
        self._calls[method, model] += 1
        return self._calls[method, model] == 1

    def _answer(self, method: str, model: str, context: Any) -> None:
        """End the call with the status that the name asks for, if it does."""
        name = model.removesuffix(" once")
        is_first = self._is_first(method, model)
        if model in ("", "small") or (name != model and not is_first):
            return
        if model in ("silent", "waits"):
            self._wait_for_cancellation(context, is_known=model == "waits")
        elif name.startswith("code "):
            abort(context, status(Code.Value(name.removeprefix("code ")), "scripted"))
        else:
            abort(context, status_for(name))

    def _wait_for_cancellation(self, context: Any, *, is_known: bool) -> None:
        ended = threading.Event()
        if context.add_callback(ended.set):
            if is_known:
                self.called.set()
            ended.wait(_WAIT_SECS)
        context.abort(grpc.StatusCode.CANCELLED, "the client is gone")


def status_for(reason: str) -> Any:
    """Return the status that the contract describes for the reason, with metadata of its own."""
    code = REASONS[reason]
    info = ErrorInfo(domain="posewire", reason=reason, metadata={"scripted": reason.lower()})
    details: list[Any] = [info]
    if code == "INVALID_ARGUMENT" and reason != "MESSAGE_MALFORMED":
        violations = [
            BadRequest.FieldViolation(field=field, description=f"{field} is scripted")
            for field in ("image", "options.max_poses")
        ]
        details.append(BadRequest(field_violations=violations))
    if code == "RESOURCE_EXHAUSTED":
        details.append(RetryInfo(retry_delay=Duration(nanos=RETRY_MILLIS * 1_000_000)))
    return status(Code.Value(code), f"scripted: {reason}", *details)


def _process(requests: Iterator[Request]) -> Iterator[Response]:
    yield started()
    yield from map(result_for, requests)


def _fail_frames(requests: Iterator[Request], reason: str) -> Iterator[Response]:
    failure = status(99, "scripted") if reason == "99" else status_for(reason)
    yield started()
    for request in requests:
        yield error_for(request, failure)


def _track(stream: Stream) -> Iterator[Response]:
    yield started()
    for number, request in enumerate(stream.requests):
        response = result_for(request)
        if stream.config.track and stream.config.smoothing:
            response.outcome.result.poses[0].track_id = 1 << number
        yield response


def _smooth(stream: Stream) -> Iterator[Response]:
    wanted = stream_pb2.SmoothingOptions(min_cutoff_hz=0.5, cutoff_per_speed=0, speed_cutoff_hz=3)
    wanted.max_gap.FromMilliseconds(125)
    yield started()
    for request in stream.requests:
        response = result_for(request)
        if stream.config.smoothing_options == wanted:
            response.outcome.result.poses[0].track_id = 1
        yield response


def _skip(stream: Stream) -> Iterator[Response]:
    newer: Any = 99
    reasons = (stream_pb2.SKIP_REASON_TOO_OLD, stream_pb2.SKIP_REASON_OVERLOADED, newer)
    yield started()
    for reason, request in zip(reasons, stream.requests, strict=False):
        yield skip_for(request, reason)
    yield from map(result_for, stream.requests)


def _drain(stream: Stream) -> Iterator[Response]:
    if not stream.is_first:
        yield from _process(stream.requests)
        return
    yield started(window=2)
    yield result_for(next(stream.requests))
    yield draining()
    for request in stream.requests:
        yield skip_for(request, stream_pb2.SKIP_REASON_DRAINING)


def _reset(stream: Stream) -> Iterator[Response]:
    if not stream.is_first:
        yield from _process(stream.requests)
        return
    yield started()
    yield result_for(next(stream.requests))
    raise StatusRaised(status(Code.Value("INTERNAL"), "the stream was reset"))


def _crash(stream: Stream) -> Iterator[Response]:
    yield started()
    yield result_for(next(stream.requests))
    _wait_for_half_close(stream)
    raise StatusRaised(status_for("INTERNAL"))


def _start_late(stream: Stream) -> Iterator[Response]:
    stream.may_start.wait(_WAIT_SECS)
    yield from _process(stream.requests)


def _send_newer(stream: Stream) -> Iterator[Response]:
    yield Response()
    yield started()
    frame_id = next(stream.requests).frame.frame_id
    yield Response(outcome=stream_pb2.FrameOutcome(frame_id=frame_id))
    yield from map(result_for, stream.requests)


def _send_wrong_order(stream: Stream) -> Iterator[Response]:
    yield started()
    request = next(stream.requests)
    request.frame.frame_id += 100
    yield result_for(request)


def _send_no_start(stream: Stream) -> Iterator[Response]:
    yield Response(outcome=stream_pb2.FrameOutcome(frame_id=1))


def _end_early(stream: Stream) -> Iterator[Response]:
    yield started()
    yield result_for(next(stream.requests))
    _wait_for_half_close(stream)


def _wait_for_half_close(stream: Stream) -> None:
    """Receive all frames. A call that ends while its client sends may end with another status."""
    for _ in stream.requests:
        pass


_STREAMS = {
    "tracks": _track,
    "smooths": _smooth,
    "skips": _skip,
    "drains": _drain,
    "resets": _reset,
    "crashes": _crash,
    "starts late": _start_late,
    "newer": _send_newer,
    "wrong order": _send_wrong_order,
    "no start": _send_no_start,
    "ends early": _end_early,
}
