from __future__ import annotations

from collections.abc import Callable

import pytest

from posewire_server.serving.errors import BusyError
from posewire_server.serving.live_calls import LiveCalls


class Context:
    """A call of this peer, as far as `LiveCalls` sees it."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._callbacks: list[Callable[[Context], None]] = []

    def peer(self) -> str:
        return self._peer

    def add_done_callback(self, callback: Callable[[Context], None]) -> None:
        self._callbacks.append(callback)

    def end(self) -> None:
        for callback in self._callbacks:
            callback(self)


def count(calls: LiveCalls, peer: str) -> Context:
    context = Context(peer)
    calls.count(context)
    return context


def test_calls_of_one_host_are_counted_together_until_they_end() -> None:
    calls = LiveCalls(per_host=2)
    first = count(calls, "ipv4:10.0.0.1:1")
    count(calls, "ipv4:10.0.0.1:2")
    with pytest.raises(BusyError, match="2 calls of this host are in progress") as caught:
        count(calls, "ipv4:10.0.0.1:3")
    assert caught.value.reason == "CALL_LIMIT_REACHED"
    first.end()
    count(calls, "ipv4:10.0.0.1:3")


def test_hosts_do_not_count_for_each_other() -> None:
    calls = LiveCalls(per_host=1)
    count(calls, "ipv4:10.0.0.1:1")
    count(calls, "ipv4:10.0.0.2:1")
