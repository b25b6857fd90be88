"""PoseService over loopback, called as a client would."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status

from posewire.v1 import estimate_pb2, model_pb2, pose_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from tests.reference.image_files import png
from tests.reference.numbered_frames import (
    SIDE,
    frame_request,
    is_answer_to,
    numbered_image,
    person_of,
)
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.request_images import encoded, jpeg, raw
from tests.reference.server_thread import channel_to, serving
from tests.reference.status_details import details

MAX_BYTES = 200_000
LIMITS = ServiceLimits(image=ImageLimits(max_bytes=MAX_BYTES, max_pixels=1_000_000), streams=3)
OPTIONS = ServerOptions(address="127.0.0.1:0", limits=LIMITS)
TIMEOUT = 20
NAN = float("nan")
BOMB = png(30_000, 30_000, bytes(30_001), colour=0)


@pytest.fixture(scope="module")
def channel() -> Iterator[grpc.Channel]:
    chance = random.Random(3)
    runner = PaintingRunner(person_of, capacity=4, delay=lambda: chance.uniform(0, 0.004))
    another = painted_model(PaintingRunner(person_of), name="another", size=SIDE)
    models = (painted_model(runner, size=SIDE), another)
    with serving(*models, options=OPTIONS) as server, channel_to(server) as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> PoseServiceStub:
    return PoseServiceStub(channel)


def estimate(stub: PoseServiceStub, **fields: object) -> messages.EstimatePosesResponse:
    return stub.EstimatePoses(messages.EstimatePosesRequest(**fields), timeout=TIMEOUT)


def answers_the_next_good_call(stub: PoseServiceStub) -> bool:
    answer = estimate(stub, image=numbered_image(5))
    return is_answer_to(5, answer.poses[0].keypoints[0].x)


def options(**fields: object) -> dict[str, object]:
    return {"image": numbered_image(1), "options": estimate_pb2.EstimateOptions(**fields)}


BAD_REQUESTS: dict[str, tuple[dict[str, object], str, str]] = {
    "no image": ({}, "IMAGE_INVALID", "image"),
    "empty file": ({"image": encoded(b"")}, "IMAGE_INVALID", "image.encoded.data"),
    "garbage": ({"image": encoded(b"garbage" * 9)}, "IMAGE_UNDECODABLE", "image.encoded.data"),
    "truncated JPEG": ({"image": encoded(jpeg()[:-400])}, "IMAGE_UNDECODABLE", "image.encoded"),
    "JPEG with a gap": (
        {"image": encoded(jpeg()[:-400] + jpeg()[-2:])},
        "IMAGE_UNDECODABLE",
        "image.encoded",
    ),
    "unknown orientation policy": (
        {"image": encoded(jpeg(), orientation_policy=9)},
        "FIELD_INVALID",
        "image.encoded.orientation_policy",
    ),
    "bomb": ({"image": encoded(BOMB)}, "IMAGE_TOO_LARGE", "image.encoded"),
    "too many bytes": ({"image": encoded(bytes(MAX_BYTES + 1))}, "IMAGE_TOO_LARGE", "image.enc"),
    "raw too short": ({"image": raw(bytes(47), 4, 4)}, "IMAGE_INVALID", "image.raw.data"),
    "raw too long": ({"image": raw(bytes(49), 4, 4)}, "IMAGE_INVALID", "image.raw.data"),
    "raw stride": (
        {"image": raw(bytes(48), 4, 4, row_stride_bytes=11)},
        "IMAGE_INVALID",
        "image.raw.row_stride_bytes",
    ),
    "raw format": ({"image": raw(bytes(48), 4, 4, 0)}, "IMAGE_INVALID", "image.raw.pixel_format"),
    "new format": ({"image": raw(bytes(48), 4, 4, 99)}, "IMAGE_INVALID", "image.raw.pixel_format"),
    "no width": ({"image": raw(bytes(12), 0, 4)}, "IMAGE_INVALID", "image.raw.width"),
    "no height": ({"image": raw(bytes(12), 4, 0)}, "IMAGE_INVALID", "image.raw.height"),
    "huge": ({"image": raw(bytes(12), 2**31, 2**31)}, "IMAGE_TOO_LARGE", "image.raw"),
    "no pose": (options(max_poses=0), "FIELD_INVALID", "options.max_poses"),
    "NaN": (options(min_pose_score=NAN), "FIELD_INVALID", "options.min_pose_score"),
    "above one": (
        options(min_keypoint_score=1.01),
        "FIELD_INVALID",
        "options.min_keypoint_score",
    ),
    "negative": (options(min_pose_score=-0.1), "FIELD_INVALID", "options.min_pose_score"),
    "NaN region": (
        options(region_of_interest=pose_pb2.Box(x_min=NAN, x_max=9, y_max=9)),
        "FIELD_INVALID",
        "options.region_of_interest",
    ),
    "region outside": (
        options(region_of_interest=pose_pb2.Box(x_min=500, y_min=0, x_max=900, y_max=9)),
        "FIELD_INVALID",
        "options.region_of_interest",
    ),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_bad_request_is_refused_and_the_next_is_answered(
    stub: PoseServiceStub, name: str
) -> None:
    fields, reason, field = BAD_REQUESTS[name]
    with pytest.raises(grpc.RpcError) as caught:
        estimate(stub, **fields)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    info, request, _ = details(caught.value)
    assert (info.domain, info.reason) == ("posewire", reason)
    (violation,) = request.field_violations
    assert violation.field.startswith(field)
    assert violation.description
    assert answers_the_next_good_call(stub)


BAD_IMAGES = [name for name, (fields, _, _) in BAD_REQUESTS.items() if set(fields) == {"image"}]


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_a_bad_frame_does_not_end_its_stream(stub: PoseServiceStub, name: str) -> None:
    fields, reason, field = BAD_REQUESTS[name]
    bad = frame_request(2, fields["image"])
    _, *rest = stub.StreamPoses(
        iter([config(), frame_request(1), bad, frame_request(3)]), timeout=TIMEOUT
    )
    first, second, third = (each.outcome for each in rest)
    assert is_answer_to(1, first.result.poses[0].keypoints[0].x)
    assert is_answer_to(3, third.result.poses[0].keypoints[0].x)
    info, request = ErrorInfo(), BadRequest()
    assert second.error.status.details[0].Unpack(info)
    assert second.error.status.details[1].Unpack(request)
    assert info.reason == reason
    assert request.field_violations[0].field.startswith(f"frame.{field}")
    assert second.error.status.message.startswith(f"frame.{field}")


def test_bytes_that_are_not_a_message_are_an_invalid_argument(
    channel: grpc.Channel, stub: PoseServiceStub, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("EstimatePoses", "GetModel"):
        call = channel.unary_unary(f"/posewire.v1.PoseService/{name}")
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff\xff\xff", timeout=TIMEOUT)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert details(caught.value)[0].reason == "MESSAGE_MALFORMED"
    stream = channel.stream_stream("/posewire.v1.PoseService/StreamPoses")
    for requests in ([b"\xff"], [config().SerializeToString(), b"\xff"]):
        with pytest.raises(grpc.RpcError) as caught:
            list(stream(iter(requests), timeout=TIMEOUT))
        assert details(caught.value)[0].reason == "MESSAGE_MALFORMED"
    assert answers_the_next_good_call(stub)
    assert not caplog.records


def test_every_wrong_option_is_named(stub: PoseServiceStub) -> None:
    wrong = estimate_pb2.EstimateOptions(max_poses=0, min_pose_score=7)
    with pytest.raises(grpc.RpcError) as caught:
        estimate(stub, image=numbered_image(1), options=wrong)
    _, request, _ = details(caught.value)
    named = [each.field for each in request.field_violations]
    assert named == ["options.max_poses", "options.min_pose_score"]


@pytest.mark.parametrize("call", ["EstimatePoses", "GetModel", "StreamPoses"])
def test_an_unknown_model_is_not_found(stub: PoseServiceStub, call: str) -> None:
    name = "no-such-model" + 10_000 * "!"
    requests: dict[str, Callable[[], object]] = {
        "EstimatePoses": lambda: estimate(stub, model=name, image=numbered_image(1)),
        "GetModel": lambda: stub.GetModel(messages.GetModelRequest(model=name), timeout=TIMEOUT),
        "StreamPoses": lambda: list(stub.StreamPoses(iter([config(model=name)]), timeout=TIMEOUT)),
    }
    with pytest.raises(grpc.RpcError) as caught:
        requests[call]()
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    info, _, _ = details(caught.value)
    assert info.reason == "MODEL_NOT_FOUND"
    assert info.metadata["model"].startswith("no-such-model")
    assert "another, painted" in caught.value.details()
    assert answers_the_next_good_call(stub)


def test_a_message_above_the_limit_ends_the_call_without_details(stub: PoseServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        estimate(stub, image=encoded(bytes(3 * MAX_BYTES)))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rpc_status.from_call(caught.value) is None
    assert answers_the_next_good_call(stub)


def test_a_message_above_the_limit_ends_its_stream(stub: PoseServiceStub) -> None:
    large = frame_request(1, encoded(bytes(3 * MAX_BYTES)))
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamPoses(iter([config(), large]), timeout=TIMEOUT))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert answers_the_next_good_call(stub)


def test_models_are_listed_by_name_and_described(stub: PoseServiceStub) -> None:
    listed = stub.ListModels(messages.ListModelsRequest(), timeout=TIMEOUT)
    assert [each.name for each in listed.models] == ["another", "painted"]
    assert listed.default_model == "painted"
    model = stub.GetModel(messages.GetModelRequest(), timeout=TIMEOUT).model
    assert model == listed.models[1]
    assert len(model.skeleton.keypoints) == 17
    assert model.precision == model_pb2.PRECISION_FP32
    assert {(each.width, each.height) for each in model.input_sizes} >= {(SIDE, SIDE)}
    unset = {"region_of_interest"}
    names = {each.name for each in model.default_options.DESCRIPTOR.fields}
    assert {each.name for each, _ in model.default_options.ListFields()} == names - unset


def test_an_answer_names_model_and_size_and_has_all_stage_times(stub: PoseServiceStub) -> None:
    answer = estimate(stub, image=encoded(jpeg(160, 128)), model="another")
    assert (answer.model, answer.model_version) == ("another", "1")
    assert (answer.image_width, answer.image_height) == (160, 128)
    times = answer.stage_times
    assert len(times.ListFields()) == 6
    parts = [value for each, value in times.ListFields() if each.name != "total_duration"]
    assert 0 < sum(each.ToNanoseconds() for each in parts) <= times.total_duration.ToNanoseconds()


def test_a_box_spans_the_keypoints_that_are_there(stub: PoseServiceStub) -> None:
    (pose,) = estimate(stub, image=numbered_image(7)).poses
    xs, ys = [each.x for each in pose.keypoints], [each.y for each in pose.keypoints]
    box = pose.box
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (min(xs), min(ys), max(xs), max(ys))
    assert {each.origin for each in pose.keypoints} == {pose_pb2.KEYPOINT_ORIGIN_DETECTED}


def test_options_choose_among_the_poses(stub: PoseServiceStub) -> None:
    assert len(estimate(stub, **options(min_pose_score=0.0)).poses) == 1
    assert len(estimate(stub, **options(min_pose_score=0.99)).poses) == 0
    assert len(estimate(stub, **options(min_keypoint_score=0.99)).poses) == 0
    assert len(estimate(stub, **options(max_poses=2**32 - 1)).poses) == 1


def test_a_region_is_looked_at_alone_and_answered_in_the_whole_image(
    stub: PoseServiceStub,
) -> None:
    # The runner sees a person at (10 + brightness, 20) of its input; half the image fills it.
    region = pose_pb2.Box(x_min=32, y_min=16, x_max=95, y_max=79)
    request = options(region_of_interest=region)
    (pose,) = estimate(stub, **request).poses
    assert pose.keypoints[0].x == pytest.approx(32 + (11 + 0.5) / 2 - 0.5, abs=0.2)
    assert pose.keypoints[0].y == pytest.approx(16 + (20 + 0.5) / 2 - 0.5, abs=0.2)


def config(**fields: object) -> StreamPosesRequest:
    return StreamPosesRequest(config=stream_pb2.StreamConfig(**fields))


def smoothed(**options: object) -> StreamPosesRequest:
    return config(track=True, smoothing=True, smoothing_options=options)


def test_a_thousand_frames_come_back_complete_and_in_order(stub: PoseServiceStub) -> None:
    window = threading.Semaphore(0)

    def requests() -> Iterator[StreamPosesRequest]:
        yield config()
        for number in range(1, 1001):
            assert window.acquire(timeout=TIMEOUT)
            yield frame_request(number)

    responses = stub.StreamPoses(requests(), timeout=6 * TIMEOUT)
    window.release(next(responses).started.max_frames_in_flight)
    numbers = []
    for response in responses:
        outcome = response.outcome
        numbers.append(outcome.frame_id)
        assert is_answer_to(outcome.frame_id, outcome.result.poses[0].keypoints[0].x)
        window.release()
    assert numbers == list(range(1, 1001))


def test_more_frames_than_the_window_are_no_error(stub: PoseServiceStub) -> None:
    requests = [config(max_frames_in_flight=1), *map(frame_request, range(1, 31))]
    started, *outcomes = stub.StreamPoses(iter(requests), timeout=TIMEOUT)
    assert started.started.max_frames_in_flight == 1
    assert [each.outcome.frame_id for each in outcomes] == list(range(1, 31))


DISORDER: dict[str, tuple[list[StreamPosesRequest], str]] = {
    "nothing": ([], "CONFIG_MISSING"),
    "frame first": ([frame_request(1)], "CONFIG_MISSING"),
    "empty first": ([StreamPosesRequest()], "CONFIG_MISSING"),
    "config twice": ([config(), config()], "CONFIG_REPEATED"),
    "empty message": ([config(), StreamPosesRequest()], "MESSAGE_EMPTY"),
    "repeated id": ([config(), frame_request(1), frame_request(1)], "FRAME_ID_NOT_INCREASING"),
    "id of zero": ([config(), frame_request(0)], "FRAME_ID_NOT_INCREASING"),
}


@pytest.mark.parametrize("name", DISORDER)
def test_disorder_ends_a_stream(stub: PoseServiceStub, name: str) -> None:
    requests, reason = DISORDER[name]
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamPoses(iter(requests), timeout=TIMEOUT))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    info, _, _ = details(caught.value)
    assert (info.domain, info.reason) == ("posewire", reason)
    assert answers_the_next_good_call(stub)


LATEST = stream_pb2.DELIVERY_POLICY_LATEST
BAD_CONFIGS: dict[str, tuple[StreamPosesRequest, str]] = {
    "policy": (config(delivery_policy=9), "config.delivery_policy"),
    "window": (config(max_frames_in_flight=0), "config.max_frames_in_flight"),
    "age of nothing": (config(delivery_policy=LATEST, max_frame_age={}), "config.max_frame_age"),
    "negative age": (
        config(delivery_policy=LATEST, max_frame_age={"nanos": -1}),
        "config.max_frame_age",
    ),
    "age without policy": (config(max_frame_age={"seconds": 1}), "config.max_frame_age"),
    "smoothing without track": (config(smoothing=True), "config.smoothing"),
    "smoothing options without smoothing": (
        config(track=True, smoothing_options={"min_cutoff_hz": 1}),
        "config.smoothing_options",
    ),
    "smoothing option": (smoothed(min_cutoff_hz=0), "config.smoothing_options.min_cutoff_hz"),
    "smoothing option NaN": (
        smoothed(cutoff_per_speed=NAN),
        "config.smoothing_options.cutoff_per_speed",
    ),
    "smoothing option too large": (
        smoothed(speed_cutoff_hz=1001),
        "config.smoothing_options.speed_cutoff_hz",
    ),
    "smoothing gap": (
        smoothed(max_gap={"seconds": 10, "nanos": 1}),
        "config.smoothing_options.max_gap",
    ),
    "smoothing gap of negative nanos": (
        smoothed(max_gap={"seconds": 1, "nanos": -1}),
        "config.smoothing_options.max_gap",
    ),
    "resume token without track": (config(resume_token=b"x"), "config.resume_token"),
    "large resume token": (config(track=True, resume_token=bytes(65537)), "config.resume_token"),
    "NaN": (config(options={"min_pose_score": NAN}), "config.options.min_pose_score"),
    "region": (
        config(options={"region_of_interest": {"x_min": NAN}}),
        "config.options.region_of_interest",
    ),
}


@pytest.mark.parametrize("name", BAD_CONFIGS)
def test_a_bad_config_ends_the_stream(stub: PoseServiceStub, name: str) -> None:
    request, field = BAD_CONFIGS[name]
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamPoses(iter([request]), timeout=TIMEOUT))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    info, violations, _ = details(caught.value)
    assert info.reason == "FIELD_INVALID"
    assert violations.field_violations[0].field.startswith(field)
    assert answers_the_next_good_call(stub)


def test_streams_beyond_the_limit_get_a_retry_delay(stub: PoseServiceStub) -> None:
    closing = threading.Event()

    def open_stream() -> Iterator[StreamPosesRequest]:
        yield config()
        assert closing.wait(TIMEOUT)

    streams = [stub.StreamPoses(open_stream(), timeout=TIMEOUT) for _ in range(LIMITS.streams)]
    assert all(next(each).HasField("started") for each in streams)
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.StreamPoses(iter([config()]), timeout=TIMEOUT))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    info, _, retry = details(caught.value)
    assert info.reason == "STREAM_LIMIT_REACHED"
    assert retry.retry_delay.ToMilliseconds() == 200
    closing.set()
    assert [list(each) for each in streams] == [[]] * LIMITS.streams
    assert len(list(stub.StreamPoses(iter([config(), frame_request(1)]), timeout=TIMEOUT))) == 2
