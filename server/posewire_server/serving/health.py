"""The standard health service, grpc.health.v1.

grpcio-health-checking has a servicer, but a watcher that leaves breaks the notification of the
others, and one that does not read blocks every change.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

Response = health_pb2.HealthCheckResponse


class HealthService(health_pb2_grpc.HealthServicer):
    """Reports one status for `services` and for the server as a whole, whose name is empty."""

    def __init__(self, *services: str) -> None:
        self._services = ("", *services)
        self._is_serving = False
        self._is_closed = False
        # Replaced at every change, so that each watcher waits for the next one.
        self._changed = asyncio.Event()

    def set_serving(self, is_serving: bool) -> None:
        self._is_serving = is_serving
        self._notify()

    def close(self) -> None:
        """Report NOT_SERVING, and end the calls of watchers, which never end by themselves."""
        self._is_closed = True
        self.set_serving(False)

    async def Check(self, request: health_pb2.HealthCheckRequest, context: Context) -> Response:
        response = self._response(request.service)
        if response.status == Response.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service!r}")
        return response

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: Context
    ) -> AsyncIterator[Response]:
        last = None
        while True:
            changed, response = self._changed, self._response(request.service)
            if response != last:
                yield response
                last = response
            elif self._is_closed:
                return
            else:
                await changed.wait()

    def _response(self, service: str) -> Response:
        if service not in self._services:
            return Response(status=Response.SERVICE_UNKNOWN)
        return Response(status=Response.SERVING if self._is_serving else Response.NOT_SERVING)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
