"""Several server processes behind one address: they spread, survive and end as one server."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest, StreamPosesResponse
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_client import Client
from tests.reference.numbered_frames import frame_request
from tests.reference.ports import free_port
from tests.reference.scrape import Samples, scrape, value
from tests.reference.stub_process import StubProcess, stub_process
from tests.reference.waiting import wait_until
from tests.reference.worker_processes import is_running, workers_of

TIMEOUT = 120
PROCESSES = 2
IMAGE = np.zeros((64, 64, 3), np.uint8)
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Served:
    """A running server of two processes, and what a test opens on it."""

    def __init__(self, process: StubProcess, metrics_port: int, stack: ExitStack) -> None:
        self.process = process
        self.address = process.line()
        self._metrics = f"127.0.0.1:{metrics_port}"
        self._stack = stack
        assert self.address.startswith("127.0.0.1:"), process.error()

    def channel(self) -> grpc.Channel:
        """Connect anew."""
        options = [("grpc.use_local_subchannel_pool", 1)]
        return self._stack.enter_context(grpc.insecure_channel(self.address, options=options))

    def stream(self, channel: grpc.Channel | None = None) -> Stream:
        """Open a stream, on a connection of its own by default."""
        return Stream(channel or self.channel())

    def health(self, channel: grpc.Channel) -> int:
        request = health_pb2.HealthCheckRequest()
        stub = health_pb2_grpc.HealthStub(channel)
        return stub.Check(request, timeout=TIMEOUT, wait_for_ready=True).status

    def metrics(self) -> Samples:
        return scrape(self._metrics)

    def streams(self) -> list[float]:
        """Return the number of open streams of each process."""
        samples = self.metrics()
        return [value(samples, "posewire_streams", process=str(i)) for i in range(PROCESSES)]

    def up(self) -> dict[int, float]:
        """Return 1 for each process that answers."""
        return by_process(self.metrics(), "posewire_process_up")

    def starts(self) -> dict[int, float]:
        return by_process(self.metrics(), "posewire_process_starts_total")

    def pids(self) -> list[int]:
        """Return the processes in the order in which they were started."""
        return workers_of(self.process.pid)


class Stream:
    def __init__(self, channel: grpc.Channel) -> None:
        self._closing = threading.Event()
        self._responses = PoseServiceStub(channel).StreamPoses(self._requests(), timeout=TIMEOUT)
        assert self.next().HasField("started")

    def next(self) -> StreamPosesResponse:
        return next(self._responses)

    def wait_for_draining(self) -> None:
        while not self.next().HasField("draining"):
            pass

    def close(self) -> None:
        self._closing.set()
        for _ in self._responses:
            pass

    def _requests(self) -> Iterator[StreamPosesRequest]:
        yield StreamPosesRequest(config=stream_pb2.StreamConfig())
        yield frame_request(1)
        self._closing.wait(TIMEOUT)


def by_process(samples: Samples, name: str) -> dict[int, float]:
    return {int(dict(labels)["process"]): number for labels, number in samples[name].items()}


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    port = free_port()
    metrics = f"127.0.0.1:{port}"
    with (
        stub_process(
            *("--processes", str(PROCESSES), "--metrics-address", metrics), *arguments
        ) as process,
        ExitStack() as stack,
    ):
        yield Served(process, port, stack)


def test_streams_are_spread_and_survive_a_process_that_dies() -> None:
    with served("--grace", "5") as server:
        streams = [server.stream() for _ in range(16)]
        first, second = server.streams()
        assert first + second == 16
        assert abs(first - second) <= 6  # on a busy machine; else 2
        # One connection stays in one process.
        several = [server.stream(channel := server.channel()), server.stream(channel)]
        more = server.streams()
        assert sorted([more[0] - first, more[1] - second]) == [0, 2]
        for each in (*streams, *several):
            each.close()

        with Client(server.address) as client:
            answers = client.stream(IMAGE for _ in range(40))
            ids = [next(answers).frame_id]
            victim = server.streams().index(1)
            os.kill(server.pids()[victim], signal.SIGKILL)
            assert server.health(server.channel()) == SERVING
            ids += [each.frame_id for each in answers]
        assert ids == list(range(1, 41))
        wait_until(lambda: server.starts() == {victim: 2, 1 - victim: 1}, patience_secs=TIMEOUT)
        wait_until(lambda: server.up() == {0: 1, 1: 1}, patience_secs=TIMEOUT)
        assert server.streams() == [0, 0]

        server.process.signal(signal.SIGTERM)
        code, log = server.process.end()
    assert code == 0
    assert "ended with signal SIGKILL; starting another" in log


def test_a_drain_reaches_all_processes() -> None:
    with served("--lame-duck", "1", "--max-streams-per-peer", "6") as server:
        channels = [server.channel() for _ in range(6)]
        streams = [server.stream(each) for each in channels]
        assert {server.health(each) for each in channels} == {SERVING}
        assert min(server.streams()) > 0
        with pytest.raises(grpc.RpcError) as caught:  # counted in all processes
            server.stream()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        pids = server.pids()
        server.process.signal(signal.SIGTERM)
        wait_until(lambda: {server.health(each) for each in channels} == {NOT_SERVING})
        for each in streams:
            each.wait_for_draining()
            each.close()
        assert server.process.end() == (0, "")
    assert not any(map(is_running, pids))


def test_the_second_signal_ends_all_processes() -> None:
    with served("--grace", "600") as server:
        streams = [server.stream() for _ in range(4)]
        pids = server.pids()
        server.process.signal(signal.SIGTERM)
        for each in streams:
            each.wait_for_draining()
        server.process.signal(signal.SIGTERM)
        assert server.process.end()[0] == 128 + signal.SIGTERM
        wait_until(lambda: not any(map(is_running, pids)))


def test_processes_end_with_their_parent() -> None:
    with served() as server:
        stream = server.stream()
        pids = server.pids()
        assert len(pids) == PROCESSES
        server.process.signal(signal.SIGKILL)
        stream.wait_for_draining()
        stream.close()
        wait_until(lambda: not any(map(is_running, pids)), patience_secs=TIMEOUT)
