"""Calls that send nothing, and the requests behind them.

Neither may large requests behind silent calls fill the server's memory, nor may silent calls keep
the calls of others waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import grpc
import pytest
from google.protobuf.message import Message
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckRequest

from posewire.v1 import image_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest, GetModelRequest
from posewire_server.serving.service import SERVICE
from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import stub_server
from tests.reference.waiting import wait_until

SILENT = 100  # more than the server receives at the same time
RECEIVING = 16  # as many as it does
PATIENCE = 60  # how long the silent ones keep their places
WAITING = 40
LARGE = bytes(20 << 20)
TIMEOUT = 20
IMAGE = image_pb2.Image(encoded=image_pb2.EncodedImage(data=LARGE))

LARGE_REQUESTS: dict[str, Message] = {
    f"/{SERVICE}/EstimatePoses": EstimatePosesRequest(image=IMAGE),
    f"/{SERVICE}/GetModel": GetModelRequest(model=LARGE.decode()),
    f"/{health.SERVICE_NAME}/Check": HealthCheckRequest(service=LARGE.decode()),
}
PATIENT_METHODS = [method for method in LARGE_REQUESTS if SERVICE in method]
METHODS = {method: method.rpartition("/")[2] for method in LARGE_REQUESTS}


@pytest.mark.parametrize("method", PATIENT_METHODS, ids=METHODS.get)
def test_requests_behind_silent_ones_are_not_received(
    report: Callable[[str], None], method: str
) -> None:
    large = LARGE_REQUESTS[method].SerializeToString()
    with (
        stub_server(patience=PATIENCE) as server,
        silent_calls(server.address, method, RECEIVING) as channel,
    ):
        before = server.resident_bytes
        call = channel.stream_unary(method)
        waiting = [call.future(iter([large]), timeout=3) for _ in range(WAITING)]
        for each in waiting:
            assert each.code() != grpc.StatusCode.OK
        growth = server.peak_resident_bytes - before
    report(f"{growth / 1e6:.0f} MB of {WAITING * len(LARGE) / 1e6:.0f} MB")
    assert growth < 4 * WAITING * 2**20


@pytest.mark.parametrize("method", METHODS, ids=METHODS.get)
def test_silent_calls_do_not_keep_other_connections_waiting(
    server: ServerProcess, report: Callable[[str], None], method: str
) -> None:
    with (
        silent_calls(server.address, method, SILENT),
        grpc.insecure_channel(server.address) as channel,
    ):
        began = monotonic()
        request = EstimatePosesRequest() if "Estimate" in method else HealthCheckRequest()
        call = channel.unary_unary(method).future(request.SerializeToString(), timeout=TIMEOUT)
        code = call.code()
        report(f"{code.name} after {monotonic() - began:.1f} s beside {SILENT} silent calls")
        assert code in (grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT)


@contextmanager
def silent_calls(address: str, method: str, count: int) -> Iterator[grpc.Channel]:
    """Open calls of a method, and return their channel once the next call waits behind them."""
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait(2 * TIMEOUT)
        yield from ()

    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(address, options=options) as channel:
        call = channel.stream_unary(method)
        silent = [call.future(nothing(), timeout=2 * TIMEOUT) for _ in range(count)]
        try:
            wait_until(lambda: is_waiting(call.future(iter([b""]), timeout=0.4)))
            yield channel
        finally:
            ended.set()
            for each in silent:
                each.cancel()


def is_waiting(call: grpc.Future) -> bool:
    """Whether the server leaves a call unreceived until its deadline."""
    return call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
