"""Requests that no gRPC client sends; each ends alone, without a traceback in the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import ListModelsRequest, StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving import health
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import SERVICE
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.raw_http2 import answer_headers, answer_headers_to
from tests.reference.server_thread import ServerThread, serving

TIMEOUT = 20
LIST_MODELS = f"/{SERVICE}/ListModels".encode()
UNIMPLEMENTED = b"grpc-status\x0212"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    options = ServerOptions(address="127.0.0.1:0", reflection=True)
    with serving(model, options=options) as server:
        yield server


@pytest.fixture(autouse=True)
def still_serves(server: ServerThread, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    with grpc.insecure_channel(server.address) as channel:
        assert PoseServiceStub(channel).ListModels(ListModelsRequest(), timeout=TIMEOUT).models
    assert not caplog.records


@pytest.mark.parametrize("path", [b"/\xff\xfe", b"\xff", b"", b"/", LIST_MODELS + b"\x80"])
def test_a_path_of_any_bytes_is_an_unknown_method(server: ServerThread, path: bytes) -> None:
    assert UNIMPLEMENTED in answer_headers(server.address, path)


@pytest.mark.parametrize("count", [1, 100])
def test_unknown_methods_are_rejected_one_after_the_other(server: ServerThread, count: int) -> None:
    with grpc.insecure_channel(server.address) as channel:
        calls = [
            channel.unary_unary(f"/{SERVICE}/Nothing{i}").future(b"", timeout=TIMEOUT)
            for i in range(count)
        ]
        assert {each.code() for each in calls} == {grpc.StatusCode.UNIMPLEMENTED}


@pytest.mark.parametrize("header", [{b"x": b"\xff\xfe"}, {b"\xff": b"x"}, {b"x-bin": b"!"}])
def test_headers_of_any_bytes_are_not_logged(
    server: ServerThread, header: dict[bytes, bytes]
) -> None:
    assert answer_headers_to(server.address, {b":path": LIST_MODELS, **header})


@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_a_malformed_health_request_is_an_invalid_argument(
    server: ServerThread, method: str
) -> None:
    with grpc.insecure_channel(server.address) as channel:
        call = channel.unary_stream(f"/grpc.health.v1.Health/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            list(call(b"\xff", timeout=TIMEOUT))
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        checked = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=TIMEOUT
        )
        assert checked.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_a_health_call_without_a_request_ends(
    server: ServerThread, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait(TIMEOUT)
        yield from ()

    monkeypatch.setattr(health, "_RECEIVE_SECS", 0.2)
    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_stream(f"/grpc.health.v1.Health/{method}")
        with pytest.raises(grpc.RpcError, match="want one within") as caught:
            list(call(nothing(), timeout=TIMEOUT))
        ended.set()
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_malformed_reflection_request_is_an_invalid_argument(server: ServerThread) -> None:
    service = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name
    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_stream(f"/{service}/ServerReflectionInfo")
        (answer,) = call(iter([b"\xff"]), timeout=TIMEOUT)
        response = reflection_pb2.ServerReflectionResponse.FromString(answer)
        assert response.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        (listed,) = stub.ServerReflectionInfo(iter([request]), timeout=TIMEOUT)
        assert SERVICE in {each.name for each in listed.list_services_response.service}


def test_a_config_with_megabytes_of_what_nobody_knows_is_refused(server: ServerThread) -> None:
    unknown = b"\x82\x7d" + b"\x80\x80\x40" + bytes(1 << 20)  # field 2000
    config = stream_pb2.StreamConfig.FromString(unknown)
    request = StreamPosesRequest(config=config).SerializeToString()
    with grpc.insecure_channel(server.address) as channel:
        call = channel.stream_stream(f"/{SERVICE}/StreamPoses")
        with pytest.raises(grpc.RpcError, match=r"config: got 10\d+ bytes, want at most 131072"):
            list(call(iter([request]), timeout=TIMEOUT))
