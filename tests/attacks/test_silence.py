"""Peers that say nothing: clients of a server, and servers and sources of a client."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator

import grpc
import numpy as np
import pytest

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_client import (
    AsyncClient,
    Client,
    ClientClosedError,
    DeadlineExceededError,
    SourceCancelledError,
)
from tests.reference.black_hole import black_hole
from tests.reference.client_ways import Awaiting, Blocking, Way
from tests.reference.server_process import ServerProcess
from tests.reference.stub_process import stub_process
from tests.reference.stub_server import stub_server
from tests.reference.waiting import finish_in_time

IMAGE = np.full((64, 64, 3), 7, np.uint8)
TIMEOUT = 60
PATIENCE_SECS = 20
# As many as there are places for streams.
STREAMS = 64
CONFIG = StreamPosesRequest(config=stream_pb2.StreamConfig())

Report = Callable[[str], None]


@pytest.mark.parametrize("first", [[], [CONFIG]], ids=["no config", "no frames"])
def test_silent_streams_take_no_place_for_long_and_do_not_hold_a_drain(
    report: Report, first: list[StreamPosesRequest]
) -> None:
    """Those without a config take none at all; those without frames leave when it drains."""
    ended = threading.Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield from first
        ended.wait(TIMEOUT)

    with stub_process("--grace", "600") as process:
        address = process.line()
        with grpc.insecure_channel(address) as channel:
            stub = PoseServiceStub(channel)
            # Those with a config take places, of which one is left.
            count = STREAMS - len(first)
            calls = [stub.StreamPoses(requests(), timeout=TIMEOUT) for _ in range(count)]
            with Client(address) as client:
                started = time.monotonic()
                assert len(list(client.stream([IMAGE] * 3))) == 3
                secs = time.monotonic() - started
            process.signal(signal.SIGTERM)
            assert process.end() == (0, "")
            report(
                f"{len(calls)} silent streams: 3 frames beside them took {secs:.2f} s, the process "
                f"ended {process.secs_since_signal:.2f} s after the signal, grace 600 s"
            )
            ended.set()


@pytest.mark.parametrize("way", [Blocking(), Awaiting()], ids=["Client", "AsyncClient"])
def test_a_stream_into_a_black_hole_times_out(report: Report, way: Way) -> None:
    """Connecting alone takes 20 seconds before gRPC gives up."""
    started = time.monotonic()
    with black_hole() as address, pytest.raises(DeadlineExceededError, match="started no stream"):
        finish_in_time(lambda: way.stream(address, [IMAGE], client={"timeout_secs": 1}))
    report(f"timed out after {time.monotonic() - started:.2f} s, timeout 1 s")


@pytest.mark.anyio
async def test_closing_an_async_client_ends_its_stream_and_its_call(report: Report) -> None:
    with stub_server(secs=TIMEOUT) as server:
        client = AsyncClient(server.address, timeout_secs=TIMEOUT)
        waiting = [
            asyncio.ensure_future(anext(client.stream([IMAGE] * 3))),
            asyncio.ensure_future(client.estimate(IMAGE)),
        ]
        await asyncio.sleep(0.5)
        started = time.monotonic()
        await client.close()
        for each in waiting:
            with pytest.raises(ClientClosedError):
                await asyncio.wait_for(each, PATIENCE_SECS)
    report(f"ended {time.monotonic() - started:.2f} s after close(), inference takes {TIMEOUT} s")


@pytest.mark.anyio
async def test_a_cancelled_source_ends_its_stream(server: ServerProcess, report: Report) -> None:
    async def frames() -> AsyncIterator[np.ndarray]:
        yield IMAGE
        raise asyncio.CancelledError

    started = time.monotonic()
    async with AsyncClient(server.address) as client:
        outcomes = client.stream(frames())
        assert (await asyncio.wait_for(anext(outcomes), PATIENCE_SECS)).frame_id == 1
        with pytest.raises(SourceCancelledError):
            await asyncio.wait_for(anext(outcomes), PATIENCE_SECS)
    report(f"ended after {time.monotonic() - started:.2f} s with the outcome of its frame")
