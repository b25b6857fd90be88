"""gRPC's server for asyncio, hardened against requests that no gRPC client sends.

The only file that uses private names of gRPC; with versions before 1.84 it does not work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import grpc
import grpc.aio
from grpc._cython import cygrpc
from grpc.aio import _server

_GRPC_LOG = logging.getLogger("grpc._cython.cygrpc")


def _ignore() -> None:
    pass


def transport_server(
    *,
    options: Sequence[tuple[str, int]],
    max_calls: int,
    on_unknown_method: Callable[[], object] = _ignore,
) -> grpc.aio.Server:
    """Create gRPC's server such that a request for an unknown method cannot stop it.

    gRPC decodes the path of such a request as UTF-8, and an error there stops the whole server.
    Here such a request is rejected before that, and `on_unknown_method` is called. Services must be
    added as registered methods: those added as generic handlers only are unknown.
    """
    _GRPC_LOG.addFilter(_CLIENT_FAULTS)
    return cast(grpc.aio.Server, _Server(options, max_calls, on_unknown_method))


class _Server(_server.Server):
    def __init__(
        self,
        options: Sequence[tuple[str, int]],
        max_calls: int,
        on_unknown_method: Callable[[], object],
    ) -> None:
        # Not the base class's constructor, which creates a plain `cygrpc.AioServer`.
        self._loop = asyncio.get_running_loop()
        self._server = _CallQueue(self._loop, None, (), (), tuple(options), max_calls)
        self._server.on_unknown_method = on_unknown_method


class _CallQueue(cygrpc.AioServer):  # type: ignore[misc]
    """The source of calls for gRPC's loop; `_request_call` is for those of unknown methods."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *arguments: Any) -> None:
        super().__init__(loop, *arguments)
        self._event_loop = loop
        # Not an argument, which `cygrpc.AioServer` would not accept.
        self.on_unknown_method: Callable[[], object] = _ignore
        self._rejections: set[asyncio.Task[None]] = set()

    async def _request_call(self) -> Any:
        """Reject all calls; raises gRPC's error when the server stops."""
        while True:
            call = await super()._request_call()
            self.on_unknown_method()
            rejection = self._event_loop.create_task(self._reject(call))
            self._rejections.add(rejection)
            rejection.add_done_callback(self._rejections.discard)

    async def _reject(self, call: Any) -> None:
        context = cygrpc._ServicerContext(call, None, None, self._event_loop)
        # The first error is how `abort` returns; the second means that the call has ended.
        with suppress(cygrpc.AbortError, cygrpc.ExecuteBatchError):
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


class _ClientFaultFilter(logging.Filter):
    """Drops the tracebacks that gRPC logs for what clients do; any client could fill the log.

    These are calls whose deadline expires, or that are cancelled, while their response is being
    sent, and metadata that is not UTF-8.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        # Misuse of gRPC has the same type, but another message.
        has_ended = isinstance(error, cygrpc.ExecuteBatchError) and str(error).startswith(
            'Failed "execute_batch"'
        )
        return not has_ended and not str(record.msg).startswith("Invalid encoding on ")


_CLIENT_FAULTS = _ClientFaultFilter()
