"""The calls that gRPC has in progress, counted by host."""

from __future__ import annotations

from collections import Counter
from typing import Any, Protocol

from grpc_status import rpc_status

from posewire_server.serving.access.caller import host_of
from posewire_server.serving.errors import BusyError
from posewire_server.serving.messages.status import status_of


class CallContext(Protocol):
    """A gRPC call, as far as it is counted."""

    def peer(self) -> str: ...

    def add_done_callback(self, callback: Any) -> None: ...

    async def abort_with_status(self, status: Any) -> Any: ...


class LiveCalls:
    """Limits the calls of one host; belongs to one event loop.

    A call counts until its answer is sent. Otherwise a client that reads nothing could use up all
    calls that the server allows, and gRPC would reject those of others, health checks included.
    """

    def __init__(self, per_host: int = 512) -> None:
        self._per_host = per_host
        self._calls: Counter[str] = Counter()

    async def count(self, context: CallContext) -> None:
        """Count a call until it ends, or abort it if its host has too many.

        The error of an aborted call has no message before it, as other errors of unary calls have:
        those wait for a client that reads nothing.
        """
        host = host_of(context.peer())
        if self._calls[host] >= self._per_host:
            error = BusyError(
                f"{self._per_host} calls of this host are in progress, want fewer at a time",
                reason="CALL_LIMIT_REACHED",
            )
            await context.abort_with_status(rpc_status.to_status(status_of(error)))
        self._calls[host] += 1
        context.add_done_callback(lambda _: self._release(host))

    def _release(self, host: str) -> None:
        self._calls[host] -= 1
        if not self._calls[host]:
            del self._calls[host]
