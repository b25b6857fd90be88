"""The calls that every tool makes, and what the Python client's stubs get for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from posewire.v1 import estimate_pb2, image_pb2, pose_service_pb2, stream_pb2
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.sample import STILL

SERVICE = "posewire.v1.PoseService"
JPEG = STILL.read_bytes()
NO_IMAGE = b"no image"
OK = Status()
_TIMEOUT_SECS = 30


def image(data: bytes) -> image_pb2.Image:
    return image_pb2.Image(encoded=image_pb2.EncodedImage(data=data))


ESTIMATE = pose_service_pb2.EstimatePosesRequest(image=image(JPEG))
REFUSED = pose_service_pb2.EstimatePosesRequest(
    image=image(JPEG), options=estimate_pb2.EstimateOptions(max_poses=0, min_pose_score=2)
)
# A stream with a frame that is an error.
STREAM = [
    pose_service_pb2.StreamPosesRequest(config=stream_pb2.StreamConfig()),
    *(
        pose_service_pb2.StreamPosesRequest(
            frame=stream_pb2.Frame(frame_id=number, image=image(data))
        )
        for number, data in enumerate([JPEG, NO_IMAGE, JPEG], 1)
    ),
]


def as_json(*messages: Message) -> str:
    return "\n".join(json_format.MessageToJson(message) for message in messages)


def documents(text: str) -> list[dict[str, Any]]:
    """Parse JSON documents that follow each other, over one or several lines each."""
    decoder, found, start = json.JSONDecoder(), list[dict[str, Any]](), 0
    while text[start:].strip():
        start += len(text[start:]) - len(text[start:].lstrip())
        document, start = decoder.raw_decode(text, start)
        found.append(document)
    return found


def response(document: dict[str, Any]) -> pose_service_pb2.EstimatePosesResponse:
    """Read a response to ESTIMATE, without times."""
    document.pop("stage_times", None)
    return _without_times(json_format.ParseDict(document, pose_service_pb2.EstimatePosesResponse()))


def status(document: dict[str, Any]) -> Status:
    return json_format.ParseDict(document, Status())


def expected_response(address: str) -> pose_service_pb2.EstimatePosesResponse:
    with _stub(address) as stub:
        found = _without_times(stub.EstimatePoses(ESTIMATE, timeout=_TIMEOUT_SECS))
    assert len(found.poses) > 1
    return found


def expected_status(address: str) -> Status:
    """Return the status of REFUSED."""
    with _stub(address) as stub:
        call: Any = stub.EstimatePoses.with_call
        try:
            call(REFUSED, timeout=_TIMEOUT_SECS)
        except grpc.RpcError as error:
            found: Any = error
            received = rpc_status.from_call(found)
    assert [len(received.details), received.code] == [2, grpc.StatusCode.INVALID_ARGUMENT.value[0]]
    return received


def check_stream(found: Iterable[dict[str, Any]], address: str) -> None:
    """Check the responses to STREAM."""
    poses = expected_response(address).poses
    started, *others = found
    assert started["started"]["model"]["name"] == "demo"
    first, second, third = (each["outcome"] for each in others)
    for number, outcome in enumerate([first, second, third], 1):
        assert int(outcome.get("frame_id", outcome.get("frameId"))) == number
    for outcome in (first, third):
        people = {"poses": outcome["result"]["poses"]}
        assert json_format.ParseDict(people, stream_pb2.FrameResult()).poses == poses
    (info, *_) = second["error"]["status"]["details"]
    assert info["reason"] == "IMAGE_UNDECODABLE"


@contextmanager
def _stub(address: str) -> Iterator[PoseServiceStub]:
    with grpc.insecure_channel(address) as channel:
        yield PoseServiceStub(channel)


def _without_times(
    answer: pose_service_pb2.EstimatePosesResponse,
) -> pose_service_pb2.EstimatePosesResponse:
    answer.ClearField("stage_times")
    return answer
