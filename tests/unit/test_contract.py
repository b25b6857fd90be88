"""The wire contract: what is documented, what has presence, and how a stream reads on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import grpc
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message
from grpc_tools import protoc

from google.rpc import code_pb2, error_details_pb2, status_pb2
from posewire.v1 import (
    estimate_pb2,
    image_pb2,
    pose_pb2,
    pose_service_pb2,
    pose_service_pb2_grpc,
    stream_pb2,
)

PROTO_ROOT = Path(__file__).parents[2] / "proto"

# Field numbers of descriptor.proto, of which source locations are made.
FILE_MESSAGES, FILE_ENUMS, FILE_SERVICES = 4, 5, 6
MESSAGE_FIELDS, MESSAGE_NESTED, MESSAGE_ENUMS, MESSAGE_ONEOFS = 2, 3, 4, 8
ENUM_VALUES, SERVICE_METHODS = 2, 2

SourcePath = tuple[int, ...]


def documentable(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[SourcePath, str]]:
    """Every element of a file that can carry a comment."""
    for i, message in enumerate(file.message_type):
        yield from message_elements(message, (FILE_MESSAGES, i))
    for i, enum in enumerate(file.enum_type):
        yield from enum_elements(enum, (FILE_ENUMS, i))
    for i, service in enumerate(file.service):
        yield (FILE_SERVICES, i), service.name
        for j, method in enumerate(service.method):
            yield (FILE_SERVICES, i, SERVICE_METHODS, j), f"{service.name}.{method.name}"


def message_elements(
    message: descriptor_pb2.DescriptorProto, path: SourcePath
) -> Iterator[tuple[SourcePath, str]]:
    yield path, message.name
    for i, field in enumerate(message.field):
        yield (*path, MESSAGE_FIELDS, i), f"{message.name}.{field.name}"
    # protoc adds a oneof of its own for each `optional` field; those are in no source file.
    synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
    for i, oneof in enumerate(message.oneof_decl):
        if i not in synthetic:
            yield (*path, MESSAGE_ONEOFS, i), f"{message.name}.{oneof.name}"
    for i, nested in enumerate(message.nested_type):
        yield from message_elements(nested, (*path, MESSAGE_NESTED, i))
    for i, enum in enumerate(message.enum_type):
        yield from enum_elements(enum, (*path, MESSAGE_ENUMS, i))


def enum_elements(
    enum: descriptor_pb2.EnumDescriptorProto, path: SourcePath
) -> Iterator[tuple[SourcePath, str]]:
    yield path, enum.name
    for i, value in enumerate(enum.value):
        yield (*path, ENUM_VALUES, i), value.name


def test_every_element_is_documented(tmp_path: Path) -> None:
    image = tmp_path / "contract.binpb"
    sources = sorted((PROTO_ROOT / "posewire" / "v1").glob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    options = ["--include_source_info", f"--descriptor_set_out={image}"]
    includes = [f"-I{PROTO_ROOT}", f"-I{well_known}"]
    assert protoc.main(["protoc", *includes, *options, *map(str, sources)]) == 0

    contract = descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())
    elements = []
    undocumented = []
    for file in contract.file:
        comments = {
            tuple(location.path): location.leading_comments.strip()
            for location in file.source_code_info.location
        }
        for path, name in documentable(file):
            elements.append(name)
            if not comments.get(path):
                undocumented.append(name)

    # One element of each kind, so that a walk that finds nothing does not pass.
    assert {
        "PoseService",
        "PoseService.StreamPoses",
        "FrameOutcome",
        "FrameOutcome.outcome",
        "FrameOutcome.skipped",
        "SkipReason",
        "SKIP_REASON_TOO_OLD",
    } <= set(elements)
    assert undocumented == []


@pytest.mark.parametrize(
    ("message_type", "field", "zero"),
    [
        (estimate_pb2.EstimateOptions, "max_poses", 0),
        (estimate_pb2.EstimateOptions, "min_pose_score", 0.0),
        (estimate_pb2.EstimateOptions, "min_keypoint_score", 0.0),
        (estimate_pb2.EstimateOptions, "refine", False),
        (estimate_pb2.EstimateOptions, "flip_test", False),
        (image_pb2.RawImage, "row_stride_bytes", 0),
        (pose_pb2.Pose, "track_id", 0),
        (stream_pb2.StreamConfig, "max_frames_in_flight", 0),
    ],
)
def test_absence_differs_from_zero(
    message_type: type[Message], field: str, zero: int | float | bool
) -> None:
    # `buf breaking` lets an `optional` go; this does not.
    assert not message_type().HasField(field)
    sent = message_type(**{field: zero})
    assert message_type.FromString(sent.SerializeToString()).HasField(field)


def test_an_empty_region_of_interest_differs_from_none() -> None:
    assert not estimate_pb2.EstimateOptions().HasField("region_of_interest")
    sent = estimate_pb2.EstimateOptions(region_of_interest=pose_pb2.Box())
    received = estimate_pb2.EstimateOptions.FromString(sent.SerializeToString())
    assert received.HasField("region_of_interest")


def test_every_outcome_names_its_frame() -> None:
    outcome = stream_pb2.FrameOutcome.DESCRIPTOR
    members = outcome.oneofs_by_name["outcome"].fields
    assert [field.name for field in members] == ["result", "error", "skipped"]
    assert outcome.fields_by_name["frame_id"].containing_oneof is None


def test_keypoint_origins_have_the_decoders_numbers() -> None:
    assert dict(pose_pb2.KeypointOrigin.items()) == {
        "KEYPOINT_ORIGIN_UNSPECIFIED": 0,
        "KEYPOINT_ORIGIN_DETECTED": 1,
        "KEYPOINT_ORIGIN_INFERRED": 2,
        "KEYPOINT_ORIGIN_ABSENT": 3,
    }


class TinyServicer(pose_service_pb2_grpc.PoseServiceServicer):
    """Keeps the stream rules and knows no pixels: what it answers depends on the bytes it gets."""

    def StreamPoses(
        self,
        request_iterator: Iterator[pose_service_pb2.StreamPosesRequest],
        context: grpc.ServicerContext,
    ) -> Iterator[pose_service_pb2.StreamPosesResponse]:
        first = next(request_iterator)
        if not first.HasField("config"):
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "the first message is not a config")
        yield pose_service_pb2.StreamPosesResponse(
            started=stream_pb2.StreamStarted(
                max_frames_in_flight=min(first.config.max_frames_in_flight, 4)
            )
        )
        skipped = 0
        for request in request_iterator:
            outcome = outcome_of(request.frame, skipped)
            skipped += outcome.HasField("skipped")
            yield pose_service_pb2.StreamPosesResponse(outcome=outcome)


def outcome_of(frame: stream_pb2.Frame, skipped_before: int) -> stream_pb2.FrameOutcome:
    outcome = stream_pb2.FrameOutcome(frame_id=frame.frame_id, frames_skipped_before=skipped_before)
    if frame.image.WhichOneof("source") is None:
        outcome.error.status.CopyFrom(missing_image())
    elif frame.image.encoded.data == b"stale":
        outcome.skipped.reason = stream_pb2.SKIP_REASON_SUPERSEDED
    else:
        outcome.result.poses.add(score=0.5)
    return outcome


def missing_image() -> status_pb2.Status:
    status = status_pb2.Status(code=code_pb2.INVALID_ARGUMENT, message="the frame has no image")
    status.details.add().Pack(
        error_details_pb2.ErrorInfo(reason="IMAGE_INVALID", domain="posewire")
    )
    violation = error_details_pb2.BadRequest.FieldViolation(
        field="frame.image", description="must be set"
    )
    status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
    return status


@pytest.fixture
def stub() -> Iterator[pose_service_pb2_grpc.PoseServiceStub]:
    with ThreadPoolExecutor(max_workers=1) as pool:
        server = grpc.server(pool)
        pose_service_pb2_grpc.add_PoseServiceServicer_to_server(TinyServicer(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield pose_service_pb2_grpc.PoseServiceStub(channel)
        finally:
            server.stop(grace=None).wait()


def config(*, max_frames_in_flight: int) -> pose_service_pb2.StreamPosesRequest:
    return pose_service_pb2.StreamPosesRequest(
        config=stream_pb2.StreamConfig(max_frames_in_flight=max_frames_in_flight)
    )


def frame(frame_id: int, data: bytes | None) -> pose_service_pb2.StreamPosesRequest:
    image = image_pb2.Image()
    if data is not None:
        image.encoded.data = data
    return pose_service_pb2.StreamPosesRequest(
        frame=stream_pb2.Frame(frame_id=frame_id, image=image)
    )


def test_a_stream_answers_every_frame_once_and_in_order(
    stub: pose_service_pb2_grpc.PoseServiceStub,
) -> None:
    requests = [
        config(max_frames_in_flight=8),
        frame(1, b"good"),
        frame(2, None),
        frame(5, b"stale"),
        frame(6, b"good"),
    ]
    started, *responses = stub.StreamPoses(iter(requests), timeout=10)

    assert started.WhichOneof("event") == "started"
    assert started.started.max_frames_in_flight == 4
    outcomes = [response.outcome for response in responses]
    assert [(o.frame_id, o.WhichOneof("outcome"), o.frames_skipped_before) for o in outcomes] == [
        (1, "result", 0),
        (2, "error", 0),
        (5, "skipped", 0),
        (6, "result", 1),
    ]
    assert outcomes[2].skipped.reason == stream_pb2.SKIP_REASON_SUPERSEDED


def test_the_error_of_a_frame_carries_details(
    stub: pose_service_pb2_grpc.PoseServiceStub,
) -> None:
    requests = [config(max_frames_in_flight=1), frame(1, None)]
    _, response = stub.StreamPoses(iter(requests), timeout=10)

    status = response.outcome.error.status
    assert status.code == code_pb2.INVALID_ARGUMENT
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("posewire", "IMAGE_INVALID")
    assert status.details[1].Unpack(bad_request)
    assert [violation.field for violation in bad_request.field_violations] == ["frame.image"]


def test_a_stream_that_does_not_begin_with_a_config_ends(
    stub: pose_service_pb2_grpc.PoseServiceStub,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamPoses(iter([frame(1, b"good")]), timeout=10))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
