"""The standard health service, grpc.health.v1.

grpcio-health-checking has a servicer, but a watcher that leaves breaks the notification of the
others, and one that does not read blocks every change.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from grpc_health.v1 import health_pb2

from posewire_server.errors import RequestError
from posewire_server.serving.access.caller import host_of
from posewire_server.serving.messages.received import Received, Receiver
from posewire_server.serving.messages.reception import Reception

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

Request = health_pb2.HealthCheckRequest
Response = health_pb2.HealthCheckResponse

# A request is a few bytes, but an attacker's is as large as an image: see `Reception`. A prober may
# wait for no more than a second.
_MAX_RECEIVING = 8
_MAX_CALLS_PER_HOST = 64
_RECEIVE_SECS = 5.0
_RECEIVE_PATIENCE_SECS = 0.5
# Watchers never leave by themselves, and each is one of the calls that the server allows.
_MAX_WATCHERS = 256
_MAX_WATCHERS_PER_HOST = 128


class HealthService:
    """Reports one status for `services` and for the server as a whole, whose name is empty."""

    def __init__(self, *services: str) -> None:
        self._services = ("", *services)
        self._is_serving = False
        self._is_closed = False
        self._watchers: Counter[str] = Counter()  # by host
        # Replaced at every change, so that each watcher waits for the next one.
        self._changed = asyncio.Event()
        self._reception = Reception(
            _MAX_RECEIVING,
            calls_per_host=_MAX_CALLS_PER_HOST,
            patience_secs=_RECEIVE_PATIENCE_SECS,
        )

    def set_serving(self, is_serving: bool) -> None:
        self._is_serving = is_serving
        self._notify()

    def drain(self) -> None:
        """Report NOT_SERVING from now on, before `close`."""
        self.set_serving(False)

    def close(self) -> None:
        """Report NOT_SERVING, and end the calls of watchers, which never end by themselves."""
        self._is_closed = True
        self.set_serving(False)

    async def Check(self, _: AsyncIterator[Received[Request]], context: Context) -> Response:
        service = await self._receive_service(context)
        response = self._response(service)
        if response.status == Response.SERVICE_UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {service[:200]!r}")
        return response

    async def Watch(
        self, _: AsyncIterator[Received[Request]], context: Context
    ) -> AsyncIterator[Response]:
        service = await self._receive_service(context)
        host = host_of(context.peer())
        if self._watchers.total() == _MAX_WATCHERS:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"all {_MAX_WATCHERS} watchers are in use"
            )
        if self._watchers[host] == _MAX_WATCHERS_PER_HOST:
            await context.abort(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"all {_MAX_WATCHERS_PER_HOST} watchers of this host are in use",
            )
        self._watchers[host] += 1
        try:
            async for response in self._changes(service):
                yield response
        finally:
            self._watchers[host] -= 1
            if not self._watchers[host]:
                del self._watchers[host]

    async def _changes(self, service: str) -> AsyncIterator[Response]:
        last = None
        while True:
            changed, response = self._changed, self._response(service)
            if response != last:
                yield response
                last = response
            elif self._is_closed:
                return
            else:
                await changed.wait()

    async def _receive_service(self, context: Context) -> str:
        """Return the name of the service that a call asks about."""
        requests: Receiver[Request] = Receiver(context)
        receiving = self._reception.receive(requests, context.peer(), within_secs=_RECEIVE_SECS)
        try:
            received = await receiving
            return "" if received is None else received.message.service
        except RequestError as error:
            await context.abort(grpc.StatusCode[error.code], str(error))

    def _response(self, service: str) -> Response:
        if service not in self._services:
            return Response(status=Response.SERVICE_UNKNOWN)
        return Response(status=Response.SERVING if self._is_serving else Response.NOT_SERVING)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
