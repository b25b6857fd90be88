"""The service that load balancers ask for the load of a server: xds.service.orca.v3."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from grpc_status import rpc_status

from posewire_server.errors import RequestError
from posewire_server.serving.access.authentication import Access, Identity, is_local
from posewire_server.serving.access.caller import host_of
from posewire_server.serving.errors import BusyError, UnavailableError
from posewire_server.serving.messages import orca
from posewire_server.serving.messages.received import Received, Receiver
from posewire_server.serving.messages.reception import Reception
from posewire_server.serving.messages.status import status_of
from posewire_server.serving.observation.load_report import load_report
from posewire_server.serving.scheduling.load import ServiceLoad

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

SERVICE: str = orca.SERVICE.full_name

# What a client may ask for; other intervals become the nearest of these.
_SHORTEST_SECS = 1.0
_LONGEST_SECS = 60.0
# Streams of reports never end by themselves, and each is one of the calls that the server allows.
_MAX_STREAMS = 256
_MAX_STREAMS_PER_HOST = 128
# A request is a few bytes, but an attacker's is as large as an image: see `Reception`.
_MAX_RECEIVING = 8
_RECEIVE_SECS = 5.0
_RECEIVE_PATIENCE_SECS = 0.5


class LoadReportService:
    """Sends reports on `load` to callers with access.

    Balancers have no token to send. So a caller needs none on this machine, nor if `is_mutual`:
    whether the server checks the certificates of its clients.
    """

    def __init__(
        self,
        load: Callable[[], ServiceLoad],
        access: Access,
        *,
        is_mutual: bool = False,
    ) -> None:
        self._load = load
        self._access = access
        self._is_mutual = is_mutual
        self._streams: Counter[str] = Counter()  # by host
        self._closed = asyncio.Event()
        self._reception = Reception(
            _MAX_RECEIVING,
            calls_per_host=_MAX_STREAMS_PER_HOST,
            patience_secs=_RECEIVE_PATIENCE_SECS,
        )

    def close(self) -> None:
        """End all streams, and reject new ones."""
        self._closed.set()
        self._reception.end(_shutting_down())

    async def StreamCoreMetrics(
        self, _: AsyncIterator[Received[Any]], context: Context
    ) -> AsyncIterator[Any]:
        try:
            identity = self._identify(context)
            interval_secs = await self._receive_interval(context)
            with self._stream(host_of(context.peer())):
                while not self._closed.is_set():
                    yield load_report(self._load())
                    with suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(self._closed.wait(), interval_secs)
                    if identity is not None and not self._access.is_valid(identity):
                        return
                raise _shutting_down()
        except RequestError as error:
            await context.abort_with_status(rpc_status.to_status(status_of(error)))

    def _identify(self, context: Context) -> Identity | None:
        """Return the identity of a caller that needs a token. Raises `UnauthenticatedError`."""
        if self._is_mutual or is_local(context.peer()):
            return None
        return self._access.identify(context.invocation_metadata() or (), context.peer())

    async def _receive_interval(self, context: Context) -> float:
        """Return the interval that a call asks for, within bounds."""
        requests: Receiver[Any] = Receiver(context)
        received = await self._reception.receive(
            requests, context.peer(), within_secs=_RECEIVE_SECS
        )
        if received is None:
            return _SHORTEST_SECS
        interval = received.message.report_interval
        return bounded_secs(interval.seconds, interval.nanos)

    @contextmanager
    def _stream(self, host: str) -> Iterator[None]:
        """Count a stream. Raises `BusyError` if all are in use."""
        if self._streams.total() >= _MAX_STREAMS:
            raise _too_many(f"all {_MAX_STREAMS} streams of load reports are in use")
        if self._streams[host] >= _MAX_STREAMS_PER_HOST:
            raise _too_many(
                f"all {_MAX_STREAMS_PER_HOST} streams of load reports of this host are in use"
            )
        self._streams[host] += 1
        try:
            yield
        finally:
            self._streams[host] -= 1
            if not self._streams[host]:
                del self._streams[host]


def bounded_secs(seconds: int, nanos: int) -> float:
    """Return the interval of reports for one that is asked for, which may be any."""
    return min(max(seconds + nanos / 1e9, _SHORTEST_SECS), _LONGEST_SECS)


def _too_many(message: str) -> BusyError:
    return BusyError(message, reason="STREAM_LIMIT_REACHED")


def _shutting_down() -> UnavailableError:
    return UnavailableError("the server is shutting down", reason="DRAINING")
