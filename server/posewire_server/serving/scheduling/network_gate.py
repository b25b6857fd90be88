"""The gate in front of the network, where prepared frames wait in their threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from posewire_server.serving.access.caller import Caller, CallerFrame
from posewire_server.serving.access.shares import ShareClock
from posewire_server.serving.scheduling.averages import Utilization


class PreparedFrame(CallerFrame, Protocol):
    """A frame that is ready for the network."""

    def check_is_due(self) -> None:
        """Raise if the network is not to run it."""

    def check_is_wanted(self) -> None:
        """Raise if the network is not to run it again."""


class WithdrawnError(Exception):
    """The frame was withdrawn: its outcome is no longer needed."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """A waiting frame; `wake` is locked until its thread is to go on."""

    frame: PreparedFrame
    turns_needed: int
    wake: threading.Lock = field(default_factory=threading.Lock)
    is_withdrawn: bool = False


class NetworkGate:
    """Lets `capacity` frames at a time through to the network.

    The next frame is one of the share that is next and, within it, of the caller that used the
    network least recently. A frame that the network runs twice needs two turns, so another caller
    may be next before it. Few frames wait here, since `Turns` bounds those in progress. Any number
    of threads may use it. `utilization`: where the frames here are counted.
    """

    def __init__(self, capacity: int, utilization: Utilization | None = None) -> None:
        self._lock = threading.Lock()
        self._capacity = self._free = capacity
        self._turn = 0
        self._clock = ShareClock()
        self._waiters: list[_Waiter] = []
        # When the turn of each frame that has one began.
        self._began_at: dict[PreparedFrame, float] = {}
        self._utilization = utilization or Utilization(capacity)

    @property
    def busy(self) -> int:
        """How many frames the network runs."""
        return self._capacity - self._free

    @property
    def longest_secs(self) -> float:
        """For how long, per run, the network has run the frame that takes longest; 0 if none."""
        now = monotonic()
        with self._lock:
            secs = [(now - began) / each.network_runs for each, began in self._began_at.items()]
        return max(secs, default=0.0)

    def join(self, caller: Caller) -> None:
        """Give a new caller the last place, or one that is always new would always be next."""
        with self._lock:
            caller.last_turn = self._turn

    @contextmanager
    def turn(self, frame: PreparedFrame) -> Iterator[Callable[[], None]]:
        """Wait for the frame's turn, which lasts for the block; yields `frame.check_is_wanted`.

        Raises `WithdrawnError`, and the errors of `frame.check_is_due`.
        """
        self._enter(frame)
        try:
            frame.check_is_due()
            yield frame.check_is_wanted
        finally:
            self._leave(frame)

    def withdraw(self, frame: PreparedFrame) -> None:
        """Make a frame that waits here raise `WithdrawnError`."""
        with self._lock:
            for waiter in self._waiters:
                if waiter.frame is frame:
                    self._waiters.remove(waiter)
                    self._count()
                    waiter.is_withdrawn = True
                    waiter.wake.release()
                    return

    def _enter(self, frame: PreparedFrame) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                self._use_turns(frame, frame.network_runs)
                self._began_at[frame] = monotonic()
                self._count()
                return
            waiter = _Waiter(frame, frame.network_runs)
            waiter.wake.acquire()
            self._waiters.append(waiter)
            self._count()
        waiter.wake.acquire()
        if waiter.is_withdrawn:
            raise WithdrawnError

    def _leave(self, frame: PreparedFrame) -> None:
        with self._lock:
            del self._began_at[frame]
            if not self._waiters:
                self._free += 1
                self._count()
                return
            waiter = self._next_waiter()
            self._waiters.remove(waiter)
            self._count()
            self._began_at[waiter.frame] = monotonic()
        waiter.wake.release()

    def _count(self) -> None:
        self._utilization.set_at_network(self.busy + len(self._waiters))

    def _next_waiter(self) -> _Waiter:
        while True:
            waiter = min(self._waiters, key=self._rank)
            self._use_turns(waiter.frame, 1)
            waiter.turns_needed -= 1
            if waiter.turns_needed == 0:
                return waiter

    def _rank(self, waiter: _Waiter) -> tuple[float, int]:
        caller = waiter.frame.caller
        return self._clock.start(caller.share.name), caller.last_turn

    def _use_turns(self, frame: PreparedFrame, count: int) -> None:
        for _ in range(count):
            self._turn += 1
            self._clock.charge(frame.caller.share)
        frame.caller.last_turn = self._turn
