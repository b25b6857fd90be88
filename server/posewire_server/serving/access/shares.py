"""Shares: how turns are divided among named callers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Share:
    """`weight` turns for each turn of a share with weight 1; shares with one name are one.

    Callers without a name of their own have the empty name, and are equals within that share.
    """

    name: str = ""
    weight: float = 1.0


class ShareClock:
    """The virtual time at which each share is next, as in start-time fair queueing.

    A turn takes 1/weight of the share's time. A share that was idle does not catch up. (Goyal, Vin
    and Cheng, "Start-time Fair Queuing", SIGCOMM 1996.)
    """

    def __init__(self) -> None:
        self._now = 0.0
        # By name: as many as the tokens file has had names.
        self._next: dict[str, float] = {}

    def start(self, name: str) -> float:
        """Return when the share's next turn starts; the smallest is next."""
        return max(self._next.get(name, 0.0), self._now)

    def first(self, names: Iterable[str]) -> str | None:
        """Return the share that is next, of several the first in the order given."""
        now, turns = self._now, self._next
        first, earliest = None, math.inf
        for name in names:
            start = turns.get(name, 0.0)
            if start <= now:
                return name
            if start < earliest:
                first, earliest = name, start
        return first

    def charge(self, share: Share) -> None:
        """Count a turn."""
        self._now = self.start(share.name)
        self._next[share.name] = self._now + 1.0 / share.weight
