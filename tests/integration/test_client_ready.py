"""The health check of both clients."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from posewire_client import Client, ClientClosedError, UnimplementedError
from tests.reference.client_ways import Way
from tests.reference.restarting_server import RestartingServer


@pytest.fixture
def servicer() -> health.HealthServicer:
    return health.HealthServicer()


@pytest.fixture
def checked(servicer: health.HealthServicer) -> Iterator[str]:
    """The address of a server that has only health checks."""
    server = grpc.server(ThreadPoolExecutor(1))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize(
    ("reported", "is_ready"),
    [("SERVING", True), ("NOT_SERVING", False), ("UNKNOWN", False), ("SERVICE_UNKNOWN", False)],
)
def test_readiness_is_what_the_health_check_says(
    way: Way, servicer: health.HealthServicer, checked: str, reported: str, is_ready: bool
) -> None:
    servicer.set("", health_pb2.HealthCheckResponse.ServingStatus.Value(reported))
    assert way.call(checked, "is_ready") is is_ready


def test_a_server_that_stops_or_freezes_is_not_ready(way: Way) -> None:
    with RestartingServer() as server:
        assert way.call(server.address, "is_ready") is True
        os.kill(server.pid, signal.SIGSTOP)
        assert way.call(server.address, "is_ready", timeout_secs=0.5) is False
        server.stop(signal.SIGKILL)
        assert way.call(server.address, "is_ready") is False


def test_a_server_without_health_checks_cannot_say(way: Way, target: str) -> None:
    with pytest.raises(UnimplementedError):
        way.call(target, "is_ready")


def test_a_closed_client_and_an_impossible_timeout_are_refused(way: Way, checked: str) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        way.call(checked, "is_ready", timeout_secs=0)
    client = Client(checked)
    client.close()
    with pytest.raises(ClientClosedError):
        client.is_ready()
