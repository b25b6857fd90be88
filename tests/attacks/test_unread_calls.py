"""Requests that the server has not begun to receive must not fill its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import grpc

from posewire.v1 import image_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.serving.handlers import SERVICE
from tests.reference.server_process import ServerProcess

SILENT = 8  # as many as the server receives of one host at the same time
WAITING = 40
IMAGE_BYTES = 20 << 20
TIMEOUT = 20


def test_requests_behind_silent_ones_are_not_received(
    server: ServerProcess, report: Callable[[str], None]
) -> None:
    ended = threading.Event()

    def nothing() -> Iterator[bytes]:
        ended.wait(TIMEOUT)
        yield from ()

    image = image_pb2.Image(encoded=image_pb2.EncodedImage(data=bytes(IMAGE_BYTES)))
    options = [("grpc.max_send_message_length", -1)]
    before = server.resident_bytes
    with grpc.insecure_channel(server.address, options=options) as channel:
        estimate = channel.stream_unary(f"/{SERVICE}/EstimatePoses")
        silent = [estimate.future(nothing(), timeout=TIMEOUT) for _ in range(SILENT)]
        calls = PoseServiceStub(channel)
        waiting = [
            calls.EstimatePoses.future(EstimatePosesRequest(image=image), timeout=3)
            for _ in range(WAITING)
        ]
        for call in waiting:
            assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        for call in silent:
            call.cancel()
        ended.set()
    growth = server.peak_resident_bytes - before
    report(f"{growth / 1e6:.0f} MB of {WAITING * IMAGE_BYTES / 1e6:.0f} MB")
    assert growth < 4 * WAITING * 2**20
