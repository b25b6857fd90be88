"""What a server keeps in memory of images whose callers are waiting, gone, or compress them."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from posewire.v1 import image_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_client import Delivery, Outcome, Result, Skipped
from posewire_server.serving.service import ServiceLimits
from tests.reference.client_ways import Awaiting, Blocking, Way
from tests.reference.server_process import ServerProcess
from tests.reference.stub_server import stub_server
from tests.reference.waiting import wait_until

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system does not tell a process's memory"
)

TIMEOUT = 60
MIB = 1 << 20
SIDE = 2900
# 24 MiB, little less than the limit.
IMAGE = image_pb2.Image(
    raw=image_pb2.RawImage(
        data=b"\1" * (3 * SIDE * SIDE),
        width=SIDE,
        height=SIDE,
        pixel_format=image_pb2.PIXEL_FORMAT_BGR8,
    )
)
REQUEST = EstimatePosesRequest(image=IMAGE)
# A quarter of the budget for this host, and 16 requests that are being received, each of them in
# buffers of the transport and as a message.
BOUND = ServiceLimits().held_bytes // 4 + 16 * 2 * REQUEST.ByteSize()

Report = Callable[[str], None]


@pytest.fixture
def slow() -> Iterator[ServerProcess]:
    """A server whose network takes half a second."""
    with stub_server(secs=0.5) as server:
        yield server


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip], ids=["plain", "gzip"])
def test_unanswered_images_are_bounded_in_bytes(
    slow: ServerProcess, report: Report, compression: grpc.Compression | None
) -> None:
    count = 24
    before = slow.resident_bytes
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(slow.address, options=options) as channel:
        ask = PoseServiceStub(channel).EstimatePoses
        calls = [
            ask.future(REQUEST, timeout=TIMEOUT, compression=compression) for _ in range(count)
        ]
        codes = Counter(each.code().name for each in calls)
    peak = slow.peak_resident_bytes - before
    if compression is None:  # inflating takes so long that few are held at the same time
        wait_until(lambda: slow.resident_bytes - before < 0.75 * peak)
    report(
        f"{count * REQUEST.ByteSize() / MIB:.0f} MiB of images: peak + {peak / MIB:.0f} MiB, "
        f"then {(slow.resident_bytes - before) / MIB:.0f} MiB; {dict(codes)}"
    )
    assert peak < BOUND
    assert codes["OK"] > 0
    assert set(codes) <= {"OK", "RESOURCE_EXHAUSTED"}


def test_cancelled_calls_leave_no_images_behind(slow: ServerProcess, report: Report) -> None:
    count = 60
    before = slow.resident_bytes
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(slow.address, options=options) as channel:
        ask = PoseServiceStub(channel).EstimatePoses
        for _ in range(count):
            call = ask.future(REQUEST, timeout=TIMEOUT)
            time.sleep(0.05)  # until it has arrived, more or less
            call.cancel()
        assert ask(REQUEST, timeout=TIMEOUT).poses
    peak = slow.peak_resident_bytes - before
    report(f"{count * REQUEST.ByteSize() / MIB:.0f} MiB of images: peak + {peak / MIB:.0f} MiB")
    assert peak < BOUND


@pytest.mark.parametrize("way", [Blocking(), Awaiting()], ids=["Client", "AsyncClient"])
def test_a_latest_client_whose_caller_takes_nothing_stays_small(
    server: ServerProcess, report: Report, way: Way
) -> None:
    """In the client: frames that are replaced must take no memory."""
    count = 2000
    image = np.full((64, 64, 3), 7, np.uint8)
    first_taken, all_read = threading.Event(), threading.Event()
    grown: list[int] = []

    def frames() -> Iterator[np.ndarray]:
        yield image
        assert first_taken.wait(TIMEOUT)
        for _ in range(count - 1):
            yield image.copy()
        all_read.set()

    def each(outcome: Outcome) -> bool:
        if outcome.frame_id == 1:
            tracemalloc.start()
            first_taken.set()
            assert all_read.wait(TIMEOUT)
            grown.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.stop()
        return True

    outcomes = way.stream(server.address, frames(), each=each, delivery=Delivery.LATEST, window=2)
    report(f"{count} frames of {image.nbytes} bytes: + {grown[0] / 1e3:.0f} kB in the client")
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, count + 1)]
    assert isinstance(outcomes[-1], Result), "the newest frame is processed"
    skips = 0
    for outcome in outcomes:
        assert outcome.frames_skipped_before == skips
        skips += isinstance(outcome, Skipped)
    # A few frames, and 50 bytes for each of the others: fewer than any object takes.
    assert grown[0] < 4 * image.nbytes + 50 * count
