"""Callers: streams, and peers with unary calls."""

from __future__ import annotations

from collections import OrderedDict
from ipaddress import IPv6Address
from typing import Any, Protocol
from urllib.parse import unquote

from posewire_server.serving.access.shares import Share

# The part of an IPv6 address that a machine chooses itself.
_HOST_BITS = 64


class CallerFrame(Protocol):
    """A frame that belongs to a caller."""

    @property
    def caller(self) -> Caller: ...

    @property
    def network_runs(self) -> int:
        """How often the network runs for the frame; each run uses a turn of the caller."""
        ...


class Caller:
    """One stream, or one peer with all its unary calls.

    `name`: of the peer. `max_in_progress`: how many of its frames may be processed at the same
    time. `keeps_newest`: a newer frame replaces one that waits. `share`: whose turns it uses.
    """

    def __init__(
        self,
        name: str,
        *,
        max_in_progress: int,
        keeps_newest: bool = False,
        share: Share | None = None,
    ) -> None:
        self.name = name
        self.share = share or Share()
        self.max_in_progress = max_in_progress
        self.keeps_newest = keeps_newest
        # Waiting frames, oldest first, and the number of those in progress: changed by `Turns`.
        self.waiting: OrderedDict[Any, None] = OrderedDict()
        self.in_progress = 0
        # Turns that it has used for its next frame, which needs more: changed by `Turns`.
        self.turns_used = 0
        # The number of the turn in which it last used the network: changed by `NetworkGate`.
        self.last_turn = 0
        # Bytes of its unanswered images: changed by `ByteBudget`.
        self.held_bytes = 0

    @property
    def unanswered(self) -> int:
        return len(self.waiting) + self.in_progress


def host_of(peer: str) -> str:
    """Return the host of a connection, given gRPC's name of it.

    All Unix sockets are one host, whatever names clients give theirs, and so is an IPv6 network of
    64 bits: a machine has all its addresses. Link-local networks of different interfaces differ by
    their zone.
    """
    kind, _, rest = unquote(peer).partition(":")
    if kind.startswith("unix"):  # also unix-abstract
        return "unix:"
    host = rest.rpartition(":")[0]
    return _ipv6_host(host.strip("[]")) if kind == "ipv6" else f"{kind}:{host}"


def _ipv6_host(text: str) -> str:
    try:
        address = IPv6Address(text)
    except ValueError:
        return f"ipv6:{text}"
    if address.ipv4_mapped is not None:
        return f"ipv4:{address.ipv4_mapped}"
    network = IPv6Address(int(address) >> _HOST_BITS << _HOST_BITS)
    zone = f"%{address.scope_id}" if address.scope_id else ""
    return f"ipv6:{network}{zone}/{128 - _HOST_BITS}"
