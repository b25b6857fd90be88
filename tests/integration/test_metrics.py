"""The metrics of a real server: every frame and every call is counted once, as clients see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from threading import Event

import grpc
import pytest
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.server import ServerOptions
from tests.reference.numbered_frames import SIDE, frame_request, numbered_image, person_of
from tests.reference.painting_runner import HeldRunner, PaintingRunner, painted_model
from tests.reference.raw_http2 import answer_headers
from tests.reference.scrape import frame_counts, scrape, value
from tests.reference.server_thread import ServerThread, channel_to, serving
from tests.reference.waiting import wait_until

TIMEOUT = 20
OPTIONS = ServerOptions(
    address="127.0.0.1:0", observe=ObserveOptions(metrics_address="127.0.0.1:0")
)
LATEST = stream_pb2.DELIVERY_POLICY_LATEST
BROKEN = image_pb2.Image(encoded=image_pb2.EncodedImage(data=b"garbage" * 9))
POSE_SERVICE = "posewire.v1.PoseService"


class Served:
    """A server with a quick model, `painted`, and one that finishes nothing, `held`."""

    def __init__(self, server: ServerThread, channel: grpc.Channel, held: HeldRunner) -> None:
        assert server.server.metrics_address is not None
        self.server = server
        self.held = held
        self.metrics = server.server.metrics_address
        self.channel = channel
        self.stub = PoseServiceStub(channel)

    def count(self, name: str, **labels: str) -> float:
        return value(scrape(self.metrics), name, **labels)


@pytest.fixture
def served() -> Iterator[Served]:
    held = HeldRunner(person_of)
    models = (
        painted_model(PaintingRunner(person_of, delay=lambda: 0.02), size=SIDE),
        painted_model(held, name="held", size=SIDE),
    )
    with serving(*models, options=OPTIONS) as server, channel_to(server) as channel:
        try:
            yield Served(server, channel, held)
        finally:
            held.release()


def opening(model: str = "", **config: object) -> StreamPosesRequest:
    return StreamPosesRequest(config=stream_pb2.StreamConfig(model=model, **config))


def outcomes_of(
    responses: Iterable[messages.StreamPosesResponse], model: str
) -> Counter[tuple[str, str, str]]:
    """Count the outcomes that a client receives, with the labels of the metrics."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for response in responses:
        outcome = response.outcome
        match outcome.WhichOneof("outcome"):
            case "result":
                counts[model, "result", ""] += 1
            case "error":
                info = ErrorInfo()
                assert any(each.Unpack(info) for each in outcome.error.status.details)
                counts[model, "error", info.reason] += 1
            case "skipped":
                reason = stream_pb2.SkipReason.Name(outcome.skipped.reason)
                counts[model, "skipped", reason.removeprefix("SKIP_REASON_")] += 1
    return counts


def test_frames_of_streams_are_counted_as_the_client_counts_them(served: Served) -> None:
    frames = [frame_request(number) for number in range(1, 41)]
    frames[7] = frame_request(8, BROKEN)
    requests = [opening(delivery_policy=LATEST), *frames]
    seen = outcomes_of(served.stub.StreamPoses(iter(requests), timeout=TIMEOUT), "painted")
    lossless = [opening(), frame_request(1), frame_request(2, BROKEN), frame_request(3)]
    seen += outcomes_of(served.stub.StreamPoses(iter(lossless), timeout=TIMEOUT), "painted")
    assert sum(seen.values()) == 43
    assert seen["painted", "skipped", "SUPERSEDED"] > 0
    assert seen["painted", "error", "IMAGE_UNDECODABLE"] > 0
    assert frame_counts(served.metrics) == seen


def test_results_are_measured_and_their_people_counted(served: Served) -> None:
    requests = [opening(), *(frame_request(number) for number in range(1, 6))]
    responses = served.stub.StreamPoses(iter(requests), timeout=TIMEOUT)
    results = [each.outcome.result for each in responses if each.HasField("outcome")]
    samples = scrape(served.metrics)
    assert value(samples, "posewire_people_total", model="painted") == sum(
        len(each.poses) for each in results
    )
    assert value(samples, "posewire_frame_age_seconds_count", model="painted") == 5
    for stage, field in {
        "image_decode": "image_decode_duration",
        "queue": "queue_duration",
        "letterbox": "letterbox_duration",
        "inference": "inference_duration",
        "grouping": "grouping_duration",
    }.items():
        wanted = sum(getattr(each.stage_times, field).ToNanoseconds() / 1e9 for each in results)
        labels = {"model": "painted", "stage": stage}
        assert value(samples, "posewire_stage_seconds_count", **labels) == 5
        total = value(samples, "posewire_stage_seconds_sum", **labels)
        assert total == pytest.approx(wanted, abs=1e-6)


def test_frames_of_a_cancelled_stream_are_counted_once(served: Served) -> None:
    ended = Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield opening("held")
        yield from (frame_request(number) for number in range(1, 7))
        ended.wait(TIMEOUT)

    stream = served.stub.StreamPoses(requests())
    # Three are in progress, of which one has the network.
    wait_until(lambda: served.count("posewire_queue_depth", model="held") == 3)
    assert served.held.has_begun()
    assert served.count("posewire_infer_requests_busy", model="held") == 1
    assert served.count("posewire_streams") == 1
    stream.cancel()
    ended.set()
    wait_until(lambda: served.count("posewire_streams") == 0)
    assert frame_counts(served.metrics) == {("held", "cancelled", "CANCELLED"): 6}
    assert served.count("posewire_queue_depth", model="held") == 0
    served.held.release()
    wait_until(lambda: served.count("posewire_infer_requests_busy", model="held") == 0)
    assert frame_counts(served.metrics) == {("held", "cancelled", "CANCELLED"): 6}


def test_images_of_unary_calls_are_counted_once(served: Served) -> None:
    def estimate(image: image_pb2.Image, model: str = "", timeout: float = TIMEOUT) -> str:
        request = messages.EstimatePosesRequest(image=image, model=model)
        call = served.stub.EstimatePoses.future(request, timeout=timeout)
        return call.code().name

    assert estimate(numbered_image(1)) == "OK"
    assert estimate(BROKEN) == "INVALID_ARGUMENT"
    assert estimate(numbered_image(1), model="x" * 50) == "NOT_FOUND"
    assert estimate(numbered_image(1), model="held", timeout=0.3) == "DEADLINE_EXCEEDED"
    called = {"grpc_method": "EstimatePoses"}
    wait_until(lambda: served.count("grpc_server_handled_total", **called) == 4)
    assert frame_counts(served.metrics) == {
        ("painted", "result", ""): 1,
        ("painted", "error", "IMAGE_UNDECODABLE"): 1,
        ("held", "cancelled", "DEADLINE_EXCEEDED"): 1,
    }
    samples = scrape(served.metrics)
    for code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "DEADLINE_EXCEEDED"):
        assert value(samples, "grpc_server_handled_total", grpc_code=code, **called) == 1, code
    assert value(samples, "grpc_server_handling_seconds_count", **called) == 4


def test_the_image_of_a_cancelled_call_is_counted_once(served: Served) -> None:
    request = messages.EstimatePosesRequest(image=numbered_image(1), model="held")
    call = served.stub.EstimatePoses.future(request)
    assert served.held.has_begun()
    call.cancel()
    cancelled = {"grpc_method": "EstimatePoses", "grpc_code": "CANCELLED"}
    wait_until(lambda: served.count("grpc_server_handled_total", **cancelled) == 1)
    assert frame_counts(served.metrics) == {("held", "cancelled", "CANCELLED"): 1}


def test_calls_of_every_service_are_counted(served: Served) -> None:
    health = health_pb2_grpc.HealthStub(served.channel)
    health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT)
    unknown = health.Check.future(health_pb2.HealthCheckRequest(service="no"), timeout=TIMEOUT)
    assert unknown.code() is grpc.StatusCode.NOT_FOUND
    assert dict(unknown.trailing_metadata())["x-request-id"]
    watch = health.Watch(health_pb2.HealthCheckRequest())
    next(watch)
    watch.cancel()
    labels = {"grpc_service": "grpc.health.v1.Health", "grpc_type": "server_stream"}
    wait_until(lambda: served.count("grpc_server_handled_total", **labels) == 1)
    counts = scrape(served.metrics)["grpc_server_handled_total"]
    handled = {
        (labels["grpc_method"], labels["grpc_code"])
        for labels in (dict(key) for key, count in counts.items() if count)
    }
    assert handled == {("Check", "OK"), ("Check", "NOT_FOUND"), ("Watch", "CANCELLED")}


def test_clients_cannot_make_up_labels(served: Served) -> None:
    before = set(map(dict.__repr__, map(dict, scrape(served.metrics)["grpc_server_started_total"])))
    for number in range(5):
        assert answer_headers(served.server.address, f"/made.Up/Method{number}".encode())
        assert answer_headers(served.server.address, b"/\xff\xfe%d" % number)
        request = messages.GetModelRequest(model=f"made up {number}")
        call = served.stub.GetModel.future(request, timeout=TIMEOUT)
        assert call.code().value[0] == Code.NOT_FOUND
    samples = scrape(served.metrics)
    after = set(map(dict.__repr__, map(dict, samples["grpc_server_started_total"])))
    assert len(after - before) == 1
    assert value(samples, "grpc_server_started_total", grpc_service="unknown") == 10
    unimplemented = {"grpc_code": "UNIMPLEMENTED", "grpc_method": "unknown"}
    assert value(samples, "grpc_server_handled_total", **unimplemented) == 10
    assert "made" not in str(samples)


def test_metrics_of_the_process_are_there_before_the_first_call(served: Served) -> None:
    samples = scrape(served.metrics)
    assert value(samples, "process_resident_memory_bytes") > 0
    assert value(samples, "posewire_frames_total", model="held", outcome="result") == 0
    started = {"grpc_service": POSE_SERVICE, "grpc_type": "bidi_stream"}
    assert value(samples, "grpc_server_started_total", **started) == 0


@pytest.mark.parametrize("sent", ["3f2c-11:A/b=c", "", "x" * 129, "two words", "{}"])
def test_every_call_has_a_request_id(served: Served, sent: str) -> None:
    metadata = (("x-request-id", sent),)
    request = messages.ListModelsRequest()
    _, call = served.stub.ListModels.with_call(request, timeout=TIMEOUT, metadata=metadata)
    failed = served.stub.GetModel.future(
        messages.GetModelRequest(model="no"), timeout=TIMEOUT, metadata=metadata
    )
    assert failed.code() is grpc.StatusCode.NOT_FOUND
    for each in (call, failed):
        found = dict(each.trailing_metadata())["x-request-id"]
        if sent.startswith("3f2c"):
            assert found == sent
        else:
            assert found != sent
            assert len(found) == 32
    assert "grpc-status-details-bin" in dict(failed.trailing_metadata())
