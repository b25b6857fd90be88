"""What load balancers learn of a server's load."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.messages import orca
from tests.reference.numbered_frames import SIDE, numbered_image, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.raw_http2 import answer_headers
from tests.reference.server_thread import ServerOptions, serving
from tests.reference.stub_process import stub_process

TIMEOUT = 20
METHOD = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics"
TRAILER = b"endpoint-load-metrics-bin"
SERVICE_SECS = 0.01


@contextmanager
def server(**options: Any) -> Iterator[str]:
    """Run a server until the block ends; yield its address."""
    model = painted_model(PaintingRunner(person_of, delay=lambda: SERVICE_SECS), size=SIDE)
    served = ServerOptions(address="127.0.0.1:0", **options)
    with serving(model, options=served) as running:
        yield running.address


@pytest.fixture(scope="module")
def reporting() -> Iterator[grpc.Channel]:
    with (
        server(load_reports=True, reflection=True) as address,
        grpc.insecure_channel(address) as channel,
    ):
        yield channel


def report_stream(channel: grpc.Channel) -> Any:
    call: Any = channel.unary_stream(
        METHOD, orca.OrcaLoadReportRequest.SerializeToString, orca.OrcaLoadReport.FromString
    )
    return call(orca.OrcaLoadReportRequest(), timeout=TIMEOUT)


def has_report(address: str, method: str, **headers: bytes) -> bool:
    """Whether the trailers of a call with an empty message have a report.

    gRPC's client would not show it: the entry is for balancers.
    """
    path = f"/posewire.v1.PoseService/{method}".encode()
    return TRAILER in answer_headers(address, path, **headers)


def test_the_speed_of_the_server_follows_from_a_report(reporting: grpc.Channel) -> None:
    request = messages.EstimatePosesRequest(image=numbered_image(5))
    for _ in range(10):
        PoseServiceStub(reporting).EstimatePoses(request, timeout=TIMEOUT)
    stream = report_stream(reporting)
    for _ in range(2):
        report = next(stream)
        assert report.rps_fractional > 0
        # At least the time that a frame takes; more on a machine that is busy.
        secs = report.application_utilization / report.rps_fractional
        assert SERVICE_SECS * 0.9 < secs < 100 * SERVICE_SECS
        assert dict(report.named_metrics) == {"queue_depth": 0, "streams": 0}
    stream.cancel()


@pytest.mark.parametrize("method", ["ListModels", "GetModel", "EstimatePoses", "StreamPoses"])
def test_calls_report_in_their_trailers(method: str) -> None:
    """Also calls that fail, as those without an image and without a config."""
    with server(load_trailers=True) as address:
        assert has_report(address, method)


def test_reflection_describes_the_service(reporting: grpc.Channel) -> None:
    call: Any = reporting.stream_stream(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ServerReflectionRequest.SerializeToString,
        ServerReflectionResponse.FromString,
    )
    name = METHOD.split("/")[1]
    questions = [
        ServerReflectionRequest(list_services=""),
        ServerReflectionRequest(file_containing_symbol=name),
    ]
    listed, described = call(iter(questions), timeout=TIMEOUT)
    assert name in [each.name for each in listed.list_services_response.service]
    assert len(described.file_descriptor_response.file_descriptor_proto) == 3


def test_a_drain_ends_the_streams_of_reports() -> None:
    with (
        stub_process("--load-reports") as process,
        grpc.insecure_channel(process.line()) as channel,
    ):
        stream = report_stream(channel)
        assert next(stream)
        process.signal(signal.SIGTERM)
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "shutting down" in caught.value.details()
        assert process.end() == (0, "")


def test_reports_are_off_by_default() -> None:
    with server() as address, grpc.insecure_channel(address) as plain:
        assert not has_report(address, "ListModels")
        with pytest.raises(grpc.RpcError) as caught:
            next(report_stream(plain))
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_callers_without_access_learn_nothing(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    digest = hashlib.sha256(b"secret").hexdigest()
    tokens.write_text(f'[[tokens]]\nname = "a"\nsha256 = "{digest}"\n')
    with server(load_trailers=True, tokens=tokens) as address:
        assert not has_report(address, "ListModels")
        assert not has_report(address, "ListModels", authorization=b"Bearer wrong")
        assert has_report(address, "ListModels", authorization=b"Bearer secret")
