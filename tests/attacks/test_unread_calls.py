"""Requests that the server has not begun to receive must not fill its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import grpc
import pytest
from google.protobuf.message import Message

from posewire.v1 import image_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest, GetModelRequest
from posewire_server.serving.handlers import SERVICE
from tests.reference.server_process import ServerProcess
from tests.reference.waiting import wait_until

SILENT = 8  # as many as the server receives of one host at the same time
WAITING = 40
LARGE = bytes(20 << 20)
TIMEOUT = 20
IMAGE = image_pb2.Image(encoded=image_pb2.EncodedImage(data=LARGE))


@pytest.mark.parametrize(
    ("method", "request_message"),
    [
        ("EstimatePoses", EstimatePosesRequest(image=IMAGE)),
        ("GetModel", GetModelRequest(model=LARGE.decode())),
    ],
    ids=["EstimatePoses", "GetModel"],
)
def test_requests_behind_silent_ones_are_not_received(
    server: ServerProcess, report: Callable[[str], None], method: str, request_message: Message
) -> None:
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait(TIMEOUT)
        yield from ()

    large = request_message.SerializeToString()
    options = [("grpc.max_send_message_length", -1)]
    before = server.resident_bytes
    with grpc.insecure_channel(server.address, options=options) as channel:
        call = channel.stream_unary(f"/{SERVICE}/{method}")
        silent = [call.future(nothing(), timeout=TIMEOUT) for _ in range(SILENT)]
        wait_until(lambda: is_waiting(call.future(iter([b""]), timeout=0.5)))
        waiting = [call.future(iter([large]), timeout=3) for _ in range(WAITING)]
        codes = {each.code() for each in waiting}
        for each in silent:
            each.cancel()
        ended.set()
    growth = server.peak_resident_bytes - before
    report(f"{growth / 1e6:.0f} MB of {WAITING * len(LARGE) / 1e6:.0f} MB")
    assert growth < 4 * WAITING * 2**20
    assert codes == {grpc.StatusCode.DEADLINE_EXCEEDED}


def is_waiting(call: grpc.Future) -> bool:
    """Whether the server leaves a call unreceived until its deadline."""
    return call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
