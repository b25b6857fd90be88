"""Sends calls to a server and checks that each answer obeys the contract."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import grpc
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from posewire.v1 import pose_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest, StreamPosesResponse
from posewire_server.serving.messages.wire_fields import submessages
from tests.fuzz.calls import METHODS, STREAM_POSES, Call
from tests.reference.wire_fields import has_at_most

TIMEOUT_SECS = 20
MAX_FIELDS = 256
_SUBMESSAGES = submessages(StreamPosesRequest.DESCRIPTOR)
# Those of an idle server to a client that waits for the answer.
_REASONS = {
    "INVALID_ARGUMENT": {
        *("IMAGE_INVALID", "IMAGE_UNDECODABLE", "IMAGE_TOO_LARGE"),
        *("FIELD_INVALID", "MESSAGE_MALFORMED"),
    },
    "NOT_FOUND": {"MODEL_NOT_FOUND"},
    "FAILED_PRECONDITION": {
        *("CONFIG_MISSING", "CONFIG_REPEATED", "MESSAGE_EMPTY", "FRAME_ID_NOT_INCREASING"),
    },
}
# Statuses of health and reflection, which have no reasons. A request of theirs is a name.
_MAX_OTHER_BYTES = 1 << 16
_OTHER_CODES = {"OK", "NOT_FOUND", "INVALID_ARGUMENT"}
_REFUSED_CONFIGS = {"FIELD_INVALID", "MODEL_NOT_FOUND"}
# Methods whose responses go on until the call is cancelled.
_ENDLESS = ("/Watch", "/StreamCoreMetrics")
_TOO_LARGE = "RESOURCE_EXHAUSTED"


class BrokenRuleError(Exception):
    """A call that is not answered as it must be."""


def answer(channel: grpc.Channel, call: Call, *, max_message_bytes: int) -> str:
    """Make a call and return the kind of its answer; raises `BrokenRuleError`.

    The kind is the status with its reason and fields, and those of frames.
    """
    responses, end = _send(channel, call)
    if call.cancels and end is not None and end.code() == grpc.StatusCode.CANCELLED:
        return "CANCELLED"
    code, reason, about = _end_of(call, end)
    largest = max(map(len, call.messages), default=0)
    if not call.path.startswith("/posewire"):
        if code not in _OTHER_CODES and (code != _TOO_LARGE or largest <= _MAX_OTHER_BYTES):
            raise BrokenRuleError(f"{code} of {call.path}")
        return code
    if code == _TOO_LARGE and largest > max_message_bytes:
        _check_outcomes(call, responses, None)
        return code
    if code != "OK" and reason not in _REASONS.get(code, set()):
        raise BrokenRuleError(f"{code} {reason}: {about}")
    if call.path == STREAM_POSES:
        about += _check_outcomes(call, responses, reason)
    elif code == "OK":
        about += _check_response(call, responses)
    return " ".join(f"{code} {reason}{about}".split())


def _send(channel: grpc.Channel, call: Call) -> tuple[list[bytes], grpc.RpcError | None]:
    method = channel.stream_stream(call.path)
    compression = grpc.Compression.Gzip if call.is_compressed else None
    calling = method(iter(call.messages), timeout=TIMEOUT_SECS, compression=compression)
    responses: list[bytes] = []
    cancels = call.cancels or call.path.endswith(_ENDLESS)
    try:
        if call.cancels and not call.messages:
            calling.cancel()
        for response in calling:
            responses.append(response)
            if cancels:
                calling.cancel()
    except grpc.RpcError as error:
        if cancels and error.code() == grpc.StatusCode.CANCELLED:
            return responses, None if not call.cancels else error
        return responses, error
    return responses, None


def _end_of(call: Call, error: grpc.RpcError | None) -> tuple[str, str, str]:
    """Return the code, the reason, and what the status is about."""
    if error is None:
        return "OK", "", ""
    code = error.code().name
    try:
        status = rpc_status.from_call(error)
    except ValueError as mismatch:
        raise BrokenRuleError(f"details do not agree with the status: {mismatch}") from error
    if status is None:
        return code, "", f" {error.details()}"
    return code, *_reason_of(status, METHODS[call.path].input_type)


def _reason_of(status: Status, request: Descriptor) -> tuple[str, str]:
    info, bad = ErrorInfo(), BadRequest()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(bad)
    if info.domain != "posewire" or not status.message:
        raise BrokenRuleError(f"incomplete status {status}")
    names_fields = status.code == Code.INVALID_ARGUMENT and info.reason != "MESSAGE_MALFORMED"
    if names_fields != bool(bad.field_violations):
        raise BrokenRuleError(f"{info.reason} with fields {bad}")
    paths = [each.field for each in bad.field_violations]
    for path in paths:
        _check_path(request, path)
    return info.reason, "".join(f" {path}" for path in paths)


def _check_path(kind: Descriptor | None, path: str) -> None:
    for name in path.split("."):
        field = None if kind is None else kind.fields_by_name.get(name)
        if field is None:
            raise BrokenRuleError(f"the request has no field {path}")
        kind = field.message_type


def _check_response(call: Call, responses: list[bytes]) -> str:
    (response,) = responses
    message = GetMessageClass(METHODS[call.path].output_type).FromString(response)
    _check_poses(getattr(message, "poses", ()))
    return "; people" if getattr(message, "poses", ()) else ""


def _check_outcomes(call: Call, responses: list[bytes], reason: str | None) -> str:
    """Check a stream that ended with this reason, empty for OK and None for any."""
    events = [StreamPosesResponse.FromString(each) for each in responses]
    if any(each.WhichOneof("event") != "outcome" for each in events[1:]) or not all(
        each.HasField("started") for each in events[:1]
    ):
        raise BrokenRuleError(f"{events}")
    ids = [each.outcome.frame_id for each in events[1:]]
    wanted, wanted_ids = _expected(call.messages)
    is_config_refused = reason in _REFUSED_CONFIGS and not events and wanted != "CONFIG_MISSING"
    if ids != wanted_ids[: len(ids)]:
        raise BrokenRuleError(f"outcomes of {ids}, want those of {wanted_ids}")
    if reason is not None and not is_config_refused and (reason, ids) != (wanted, wanted_ids):
        raise BrokenRuleError(f"end {reason!r} after {ids}, want {wanted!r} after {wanted_ids}")
    outcomes = [event.outcome for event in events[1:]]
    return "".join(sorted(set(_kinds(outcomes, is_latest=_is_latest(call)))))


def _is_latest(call: Call) -> bool:
    try:
        config = StreamPosesRequest.FromString(call.messages[0]).config
    except (DecodeError, IndexError):
        return False
    return config.delivery_policy == stream_pb2.DELIVERY_POLICY_LATEST


def _expected(messages: Iterable[bytes]) -> tuple[str, list[int]]:
    """Return why a stream ends whose config is accepted, and the frames with outcomes before."""
    ids: list[int] = []
    is_first = True
    for data in messages:
        try:
            message = StreamPosesRequest.FromString(data)
        except DecodeError:
            return "MESSAGE_MALFORMED", ids
        if not has_at_most(MAX_FIELDS, data, _SUBMESSAGES):
            return "MESSAGE_MALFORMED", ids
        payload = message.WhichOneof("payload")
        if is_first:
            if payload != "config":
                return "CONFIG_MISSING", ids
            is_first = False
        elif payload != "frame":
            return "CONFIG_REPEATED" if payload == "config" else "MESSAGE_EMPTY", ids
        elif message.frame.frame_id <= (ids[-1] if ids else 0):
            return "FRAME_ID_NOT_INCREASING", ids
        else:
            ids.append(message.frame.frame_id)
    return "CONFIG_MISSING" if is_first else "", ids


def _kinds(outcomes: Iterable[stream_pb2.FrameOutcome], *, is_latest: bool) -> Iterator[str]:
    skipped = 0
    for outcome in outcomes:
        if outcome.frames_skipped_before != skipped:
            raise BrokenRuleError(f"{outcome} after {skipped} skipped frames")
        match outcome.WhichOneof("outcome"):
            case "result":
                _check_poses(outcome.result.poses)
                yield "; people" if outcome.result.poses else "; nobody"
            case "error":
                request = StreamPosesRequest.DESCRIPTOR
                reason, about = _reason_of(outcome.error.status, request)
                if reason not in _REASONS["INVALID_ARGUMENT"] - {"MESSAGE_MALFORMED"}:
                    raise BrokenRuleError(f"{outcome}")
                yield f"; {reason}{about}"
            case "skipped" if is_latest:
                skipped += 1
                # Which of them, and whether any, depends on the time.
            case _:
                raise BrokenRuleError(f"{outcome}")


def _check_poses(poses: Iterable[pose_pb2.Pose]) -> None:
    for pose in poses:
        box = pose.box
        numbers = [pose.score, box.x_min, box.y_min, box.x_max, box.y_max]
        for keypoint in pose.keypoints:
            numbers += [keypoint.x, keypoint.y, keypoint.score]
        if not all(map(math.isfinite, numbers)) or len(pose.keypoints) != 17:
            raise BrokenRuleError(f"{pose}")
