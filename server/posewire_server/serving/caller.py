"""Callers: streams, and peers with unary calls."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Protocol


class CallerFrame(Protocol):
    """A frame that belongs to a caller."""

    @property
    def caller(self) -> Caller: ...


class Caller:
    """One stream, or one peer with all its unary calls.

    `name`: of the peer. `max_in_progress`: how many of its frames may be processed at the same
    time. `keeps_newest`: a newer frame replaces one that waits.
    """

    def __init__(self, name: str, *, max_in_progress: int, keeps_newest: bool = False) -> None:
        self.name = name
        self.max_in_progress = max_in_progress
        self.keeps_newest = keeps_newest
        # Waiting frames, oldest first, and the number of those in progress: changed by `Turns`.
        self.waiting: OrderedDict[Any, None] = OrderedDict()
        self.in_progress = 0
        # The number of the turn in which it last used the network: changed by `NetworkGate`.
        self.last_turn = 0
        # Bytes of its unanswered images: changed by `ByteBudget`.
        self.held_bytes = 0

    @property
    def unanswered(self) -> int:
        return len(self.waiting) + self.in_progress


def host_of(peer: str) -> str:
    """Return the host of a connection, given gRPC's name of it; a Unix socket is one host."""
    return peer if peer.startswith("unix:") else peer.rpartition(":")[0]
