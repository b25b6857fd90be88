from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from posewire_server.serving.messages.live_calls import LiveCalls

pytestmark = pytest.mark.anyio


class Context:
    """A call of this peer, as far as `LiveCalls` sees it."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._callbacks: list[Callable[[Context], None]] = []

    def peer(self) -> str:
        return self._peer

    def add_done_callback(self, callback: Callable[[Context], None]) -> None:
        self._callbacks.append(callback)

    async def abort_with_status(self, status: grpc.Status) -> None:
        assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED
        raise grpc.aio.AbortError(status.details)

    def end(self) -> None:
        for callback in self._callbacks:
            callback(self)


async def count(calls: LiveCalls, peer: str) -> Context:
    context = Context(peer)
    await calls.count(context)
    return context


async def test_calls_of_one_host_are_counted_together_until_they_end() -> None:
    calls = LiveCalls(per_host=2)
    first = await count(calls, "ipv4:10.0.0.1:1")
    await count(calls, "ipv4:10.0.0.1:2")
    with pytest.raises(grpc.aio.AbortError, match="2 calls of this host are in progress"):
        await count(calls, "ipv4:10.0.0.1:3")
    first.end()
    await count(calls, "ipv4:10.0.0.1:3")


async def test_hosts_do_not_count_for_each_other() -> None:
    calls = LiveCalls(per_host=1)
    await count(calls, "ipv4:10.0.0.1:1")
    await count(calls, "ipv4:10.0.0.2:1")
