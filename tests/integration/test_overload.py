"""What a server does when its network is too slow, or does not answer at all."""

from __future__ import annotations

from dataclasses import replace

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.observation import ObserveOptions
from posewire_server.serving.server import SERVICE, ServerOptions
from posewire_server.serving.service import ServiceLimits
from tests.reference.numbered_frames import SIDE, numbered_image, person_of
from tests.reference.painting_runner import HeldRunner, painted_model
from tests.reference.scrape import scrape, value
from tests.reference.server_thread import channel_to, serving

TIMEOUT = 20
OPTIONS = ServerOptions(
    address="127.0.0.1:0", observe=ObserveOptions(metrics_address="127.0.0.1:0")
)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def estimate(channel: grpc.Channel, number: int) -> grpc.Future:
    request = messages.EstimatePosesRequest(image=numbered_image(number))
    return PoseServiceStub(channel).EstimatePoses.future(request, timeout=TIMEOUT)


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
