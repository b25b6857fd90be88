"""What a server does when its network is too slow, or does not answer at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import SERVICE, ServiceLimits
from tests.reference.numbered_frames import HELD, SIDE, holding, numbered_image, person_of
from tests.reference.painting_runner import HeldRunner, PaintingRunner, painted_model
from tests.reference.scrape import scrape, value
from tests.reference.server_thread import channel_to, serving
from tests.reference.waiting import wait_until

TIMEOUT = 20
OPTIONS = ServerOptions(
    address="127.0.0.1:0", observe=ObserveOptions(metrics_address="127.0.0.1:0")
)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def estimate(channel: grpc.Channel, number: int, *, timeout: float = TIMEOUT) -> grpc.Future:
    request = messages.EstimatePosesRequest(image=numbered_image(number))
    return PoseServiceStub(channel).EstimatePoses.future(request, timeout=timeout)


class Measured:
    """A server that knows the time of an image, and whose network then runs no more.

    As many calls as `waiting` wait for it.
    """

    def __init__(self, channel: grpc.Channel, metrics: str) -> None:
        self.channel = channel
        self.metrics = metrics

    @property
    def waiting(self) -> int:
        return int(value(scrape(self.metrics), "posewire_queue_depth", model="painted"))

    def refusal(self, *, timeout: float = TIMEOUT) -> tuple[grpc.StatusCode, ErrorInfo, RetryInfo]:
        """Make a call that the server refuses."""
        error = estimate(self.channel, HELD, timeout=timeout).exception(TIMEOUT)
        assert isinstance(error, grpc.RpcError)
        status, info, retry = rpc_status.from_call(error), ErrorInfo(), RetryInfo()
        assert status is not None, error
        for detail in status.details:
            assert detail.Unpack(info) or detail.Unpack(retry)
        return error.code(), info, retry


@contextmanager
def measured(*, secs: float, queue: int, calls: int) -> Iterator[Measured]:
    """Serve with `secs` an image and room for `queue` images in the queue, where `calls` wait."""
    released = threading.Event()
    runner = PaintingRunner(holding(released), delay=lambda: secs)
    model = painted_model(runner, size=SIDE)
    options = replace(OPTIONS, limits=ServiceLimits(waiting=queue))
    with serving(model, options=options) as server, channel_to(server) as channel:
        assert server.server.metrics_address is not None
        network = Measured(channel, server.server.metrics_address)
        in_progress = model.pipeline.max_in_progress
        first = [estimate(channel, HELD) for _ in range(in_progress + 12)]
        wait_until(lambda: network.waiting == 12)
        released.set()
        for each in first:
            assert each.result(TIMEOUT).poses
        released.clear()
        held = [estimate(channel, HELD) for _ in range(in_progress + calls)]
        try:
            wait_until(lambda: network.waiting == calls)
            yield network
        finally:
            for each in held:
                each.cancel()
            released.set()


def test_health_is_not_serving_while_an_inference_does_not_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runner = HeldRunner(person_of)
    options = replace(OPTIONS, limits=ServiceLimits(stall_secs=0.1))
    with (
        serving(painted_model(runner, size=SIDE), options=options) as server,
        channel_to(server) as channel,
    ):
        metrics = server.server.metrics_address
        assert metrics is not None
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        statuses = health_pb2_grpc.HealthStub(channel).Watch(request, timeout=TIMEOUT)
        assert next(statuses).status == SERVING
        assert value(scrape(metrics), "posewire_stalled", model="painted") == 0
        try:
            call = estimate(channel, 1)
            assert next(statuses).status == NOT_SERVING
            assert value(scrape(metrics), "posewire_stalled", model="painted") == 1
        finally:
            runner.release()
        assert call.result(TIMEOUT).poses
        assert next(statuses).status == SERVING
        assert value(scrape(metrics), "posewire_stalled", model="painted") == 0
        statuses.cancel()
    said = [each for each in caplog.messages if each.startswith("model painted has")]
    assert ["stalled" in each for each in said] == [True, False], said


def test_a_call_that_cannot_be_answered_in_time_is_refused_at_once() -> None:
    with measured(secs=0.05, queue=200, calls=100) as server:
        code, info, _ = server.refusal(timeout=2)
        assert (code, info.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_TOO_SHORT")
        assert float(info.metadata["min_wait_secs"]) > 2
        refused = value(
            scrape(server.metrics), "posewire_frames_total", reason="DEADLINE_TOO_SHORT"
        )
        assert refused == 1
        assert server.waiting == 100
        patient = estimate(server.channel, HELD, timeout=600)
        wait_until(lambda: server.waiting == 101)
        patient.cancel()


def test_a_full_queue_says_how_long_it_takes() -> None:
    with measured(secs=0.02, queue=30, calls=30) as server:
        code, info, retry = server.refusal()
    assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert 200 < retry.retry_delay.ToMilliseconds() <= 10_000
