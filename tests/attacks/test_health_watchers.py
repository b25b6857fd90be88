"""Watchers of the health service that leave, that do not read, and that wait."""

from __future__ import annotations

import signal
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.reference.stub_process import stub_process

TIMEOUT = 60
WATCHERS = 60
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


def test_every_watcher_learns_that_the_server_drains(report: Callable[[str], None]) -> None:
    with stub_process() as process:
        with grpc.insecure_channel(process.line()) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest()
            watchers = [stub.Watch(request, timeout=TIMEOUT) for _ in range(WATCHERS)]
            deaf = [stub.Watch(request, timeout=TIMEOUT) for _ in range(WATCHERS)]
            assert [next(each).status for each in watchers] == [SERVING] * WATCHERS
            leaving, staying = watchers[::2], watchers[1::2]
            for each in leaving[::2]:
                each.cancel()
            process.signal(signal.SIGTERM)
            for each in leaving[1::2]:
                each.cancel()
            learned = [list(each) for each in staying]
            for each in deaf:
                each.cancel()
        assert process.end() == (0, "")
        secs = process.secs_since_signal
    count = sum([each.status for each in last] == [NOT_SERVING] for last in learned)
    report(f"{count} of {len(staying)} learned it; ended {secs:.2f} s after the signal")
    assert count == len(staying)
