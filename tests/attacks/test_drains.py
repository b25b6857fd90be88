"""Streams of a server that shuts down, and of clients that move to the next one."""

from __future__ import annotations

import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import grpc
import numpy as np
import pytest

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_client import Outcome, Result
from tests.reference.client_ways import Awaiting, Blocking, Way
from tests.reference.numbered_frames import frame_request
from tests.reference.stub_process import StubProcess, stub_process
from tests.reference.waiting import wait_until

TIMEOUT = 60
SERVICE_SECS = 1.0
GRACE_SECS = 3
FRAMES = 8  # a window
MOVING_FRAMES = 30
IMAGE = np.full((64, 64, 3), 7, np.uint8)

Report = Callable[[str], None]


def test_frames_without_time_are_skipped_and_not_cut(report: Report) -> None:
    ended = Event()

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        yield from map(frame_request, range(1, FRAMES + 1))
        ended.wait(TIMEOUT)

    with stub_process("--secs", str(SERVICE_SECS), "--grace", str(GRACE_SECS)) as process:
        with grpc.insecure_channel(process.line()) as channel:
            stream = PoseServiceStub(channel).StreamPoses(requests(), timeout=TIMEOUT)
            assert next(stream).HasField("started")
            outcomes = [next(stream).outcome]
            process.signal(signal.SIGTERM)
            for response in take_until_error(stream):
                if response.HasField("outcome"):
                    outcomes.append(response.outcome)
            ended.set()
            assert stream.code() == grpc.StatusCode.UNAVAILABLE
        assert process.end() == (0, "")
        secs = process.secs_since_signal
    kinds = Counter(each.WhichOneof("outcome") for each in outcomes)
    report(f"{dict(kinds)} of {FRAMES}; ended {secs:.2f} s after the signal, grace {GRACE_SECS} s")
    assert [each.frame_id for each in outcomes] == [*range(1, FRAMES + 1)]
    assert kinds["result"] + kinds["skipped"] == FRAMES
    assert kinds["skipped"] > 0
    reasons = {each.skipped.reason for each in outcomes if each.HasField("skipped")}
    assert reasons == {stream_pb2.SKIP_REASON_DRAINING}


def take_until_error(
    stream: Iterator[stream_pb2.FrameOutcome],
) -> Iterator[stream_pb2.FrameOutcome]:
    try:
        yield from stream
    except grpc.RpcError:
        return


@pytest.mark.parametrize("starts", ["beside the old one", "after the old one"])
def test_streams_move_to_a_server_that_starts_at_the_same_address(
    report: Report, starts: str
) -> None:
    """The old server drains for several seconds, because another stream has frames in it."""
    all_run = Barrier(3)

    def stream(way: Way) -> tuple[list[Outcome], float]:
        def each(outcome: Outcome) -> bool:
            if outcome.frame_id == 2:
                all_run.wait(TIMEOUT)
            return True

        patient = {"retry_for_secs": TIMEOUT}
        images = [IMAGE] * MOVING_FRAMES
        outcomes = way.stream(address, images, each=each, client=patient, window=1)
        return outcomes, old.secs_since_signal

    with (
        stub_process("--secs", str(SERVICE_SECS), "--grace", "600") as old,
        ThreadPoolExecutor(3) as pool,
    ):
        address = old.line()
        streams = [pool.submit(stream, way) for way in (Blocking(), Awaiting())]
        all_run.wait(TIMEOUT)
        holding = pool.submit(hold_drain, address)
        wait_until(holding.running)
        time.sleep(2 * SERVICE_SECS)  # until its frames wait
        old.signal(signal.SIGTERM)
        drained_secs = wait_for_end(old) if starts == "after the old one" else None
        wait_until(lambda: not is_listening(address))
        with stub_process("--address", address) as new:
            assert new.line() == address
            done = [each.result(TIMEOUT) for each in streams]
        drained_secs = drained_secs or wait_for_end(old)
        assert holding.result(TIMEOUT) == FRAMES
    report(
        f"the old server ended {drained_secs:.1f} s after the signal, the streams "
        f"{' and '.join(f'{secs:.1f} s' for _, secs in done)}; all frames have results"
    )
    for outcomes, _ in done:
        assert [each.frame_id for each in outcomes] == [*range(1, MOVING_FRAMES + 1)]
        assert {type(each) for each in outcomes} == {Result}


def hold_drain(address: str) -> int:
    """Send a window of frames, and return how many results there are."""

    def requests() -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        yield from map(frame_request, range(1, FRAMES + 1))

    with grpc.insecure_channel(address) as channel:
        responses = PoseServiceStub(channel).StreamPoses(requests(), timeout=TIMEOUT)
        return sum(each.outcome.HasField("result") for each in responses)


def wait_for_end(process: StubProcess) -> float:
    """Return how long after the signal it ended."""
    assert process.end() == (0, "")
    return process.secs_since_signal


def is_listening(address: str) -> bool:
    host, port = address.split(":")
    with socket.socket() as client:
        return client.connect_ex((host, int(port))) == 0
