"""With the shipped service config, clients use all servers that are healthy, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import grpc
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceServicer, add_PoseServiceServicer_to_server
from posewire_client import Client
from tests.reference.waiting import wait_until

CONFIG = Path(__file__).parents[2] / "deploy/clients/round_robin.json"
SERVICE = "posewire.v1.PoseService"


class CountingService(PoseServiceServicer):
    """Count the calls of ListModels."""

    def __init__(self) -> None:
        self.calls = 0
        self.health = HealthServicer()
        self.address = ""

    def ListModels(
        self, request: messages.ListModelsRequest, context: grpc.ServicerContext
    ) -> messages.ListModelsResponse:
        self.calls += 1
        return messages.ListModelsResponse()

    def report(self, *, is_healthy: bool) -> None:
        status = HealthCheckResponse.SERVING if is_healthy else HealthCheckResponse.NOT_SERVING
        self.health.set(SERVICE, status)


@contextmanager
def counting_service() -> Iterator[CountingService]:
    """Serve until the block ends."""
    service = CountingService()
    server = grpc.server(ThreadPoolExecutor(4))
    add_PoseServiceServicer_to_server(service, server)
    add_HealthServicer_to_server(service.health, server)
    service.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    service.report(is_healthy=True)
    server.start()
    try:
        yield service
    finally:
        server.stop(None).wait()


def test_calls_go_to_all_healthy_servers() -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(counting_service()) for _ in range(2))
        target = f"ipv4:{first.address},{second.address}"
        options = [("grpc.service_config", CONFIG.read_text())]
        client = stack.enter_context(Client(target, channel_options=options))

        def call_until(service: CountingService, *, is_called: bool) -> None:
            """Call until 10 calls in a row reach this server, or none of them."""

            def has_come() -> bool:
                before = service.calls
                for _ in range(10):
                    client.models()
                return (service.calls > before) == is_called

            wait_until(has_come)

        call_until(first, is_called=True)
        call_until(second, is_called=True)
        first.report(is_healthy=False)
        call_until(first, is_called=False)
        first.report(is_healthy=True)
        call_until(first, is_called=True)
