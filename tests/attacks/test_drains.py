"""Streams of a server that shuts down."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Event

import grpc

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.numbered_frames import frame_request
from tests.reference.stub_process import stub_process

TIMEOUT = 60
SERVICE_SECS = 1.0
GRACE_SECS = 3
FRAMES = 8  # a window

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
