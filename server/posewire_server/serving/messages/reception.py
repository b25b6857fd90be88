"""Bounds the requests that the server receives at the same time.

A call whose request has not begun to arrive costs little; one of which half has arrived costs as
much as its image, for as long as its client likes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from posewire_server.errors import RequestError
from posewire_server.serving.access.caller import host_of
from posewire_server.serving.errors import BusyError, DeadlineMissedError
from posewire_server.serving.messages.received import Received, Receiver, Request


@dataclass(frozen=True, slots=True, eq=False)
class _Call:
    host: str
    connection: str
    # Set when the call gets a slot.
    admitted: asyncio.Future[None] = field(default_factory=asyncio.Future)
    # Set to the error with which the call ends.
    ended: asyncio.Future[RequestError] = field(default_factory=asyncio.Future)


class Reception:
    """Receives the first message of calls, at most `slots` at the same time.

    A free slot goes to the host with the fewest slots and, within it, to the connection with the
    fewest. While others wait, a call keeps its slot for `patience_secs`; after that, the host with
    the most slots loses one. At most `calls_per_host` calls of a host wait or receive, so that one
    alone cannot use up the calls that the server allows. Belongs to one event loop.
    """

    def __init__(self, slots: int, *, calls_per_host: int, patience_secs: float) -> None:
        self._slots = slots
        self._calls_per_host = calls_per_host
        self._patience_secs = patience_secs
        # How many calls of each host wait or receive.
        self._calls: Counter[str] = Counter()
        # In the order of their arrival.
        self._waiting: dict[_Call, None] = {}
        self._receiving: dict[_Call, None] = {}
        # Those of `_receiving` whose patience is over.
        self._overdue: set[_Call] = set()

    async def receive(
        self, requests: Receiver[Request], peer: str, *, within_secs: float
    ) -> Received[Request] | None:
        """Receive a call's first message; None if the client half-closes the call without one.

        `peer` is gRPC's name of the connection. Raises `BusyError` if the host has too many calls,
        `DeadlineMissedError` if the message does not arrive in time, and the error given to `end`.
        """
        call = _Call(host_of(peer), peer)
        with self._count(call.host):
            return await self._receive_within(requests, call, within_secs)

    def end(self, error: RequestError) -> None:
        """End the calls whose message is not received yet."""
        for call in (*self._waiting, *self._receiving):
            _end(call, error)

    @contextmanager
    def _count(self, host: str) -> Iterator[None]:
        if self._calls[host] >= self._calls_per_host:
            raise BusyError(
                f"{self._calls[host]} calls of this host have not sent their first message yet",
                reason="CALL_LIMIT_REACHED",
            )
        self._calls[host] += 1
        try:
            yield
        finally:
            self._calls[host] -= 1
            if not self._calls[host]:
                del self._calls[host]

    async def _receive_within(
        self, requests: Receiver[Request], call: _Call, within_secs: float
    ) -> Received[Request] | None:
        ending = asyncio.get_running_loop().call_later(within_secs, self._miss, call, within_secs)
        self._waiting[call] = None
        self._admit()
        try:
            if not call.admitted.done():
                await _first_of(call.admitted, call.ended)
            if call.ended.done():
                raise call.ended.result()
            return await self._receive(requests, call)
        finally:
            ending.cancel()
            self._waiting.pop(call, None)
            self._receiving.pop(call, None)
            self._overdue.discard(call)
            self._admit()

    async def _receive(self, requests: Receiver[Request], call: _Call) -> Received[Request] | None:
        reading = asyncio.ensure_future(anext(requests, None))
        patience = asyncio.get_running_loop().call_later(
            self._patience_secs, self._lose_patience, call
        )
        try:
            await _first_of(reading, call.ended)
            if call.ended.done():
                raise call.ended.result()
            return reading.result()
        finally:
            patience.cancel()
            reading.cancel()

    def _miss(self, call: _Call, secs: float) -> None:
        _end(call, DeadlineMissedError(f"request: got none, want one within {secs:g} s"))

    def _lose_patience(self, call: _Call) -> None:
        self._overdue.add(call)
        self._admit()

    def _admit(self) -> None:
        """Give slots to waiting calls: free ones, then those of overdue calls."""
        while self._waiting:
            if len(self._receiving) >= self._slots and not self._evict():
                return
            call = min(self._waiting, key=self._slots_of())
            del self._waiting[call]
            self._receiving[call] = None
            call.admitted.set_result(None)

    def _evict(self) -> bool:
        """End the oldest call of the host and connection with the most slots.

        Return False if it is not overdue yet.
        """
        call = max(self._receiving, key=self._slots_of())
        if call not in self._overdue:
            return False
        self._overdue.discard(call)
        del self._receiving[call]
        got = f"request: got none in {self._patience_secs:g} s while other calls wait"
        _end(call, DeadlineMissedError(f"{got}, want it at once"))
        return True

    def _slots_of(self) -> Callable[[_Call], tuple[int, int]]:
        """Return a function for the slots that a call's host and its connection have."""
        hosts = Counter(call.host for call in self._receiving)
        connections = Counter(call.connection for call in self._receiving)
        return lambda call: (hosts[call.host], connections[call.connection])


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _end(call: _Call, error: RequestError) -> None:
    if not call.ended.done():
        call.ended.set_result(error)
