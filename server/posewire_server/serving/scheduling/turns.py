"""Turns: the order in which the frames of all callers are processed.

Callers take turns, one frame at a time, so a caller's share does not grow with its frames. A frame
that the network runs twice needs two turns, and waits for the second while others have theirs, as
in deficit round robin (Shreedhar and Varghese, "Efficient Fair Queuing Using Deficit Round-Robin",
SIGCOMM 1995). Named callers have shares of their own: the callers of one share take turns, and the
shares get as many turns as their weights say. The mean time of an operation grows with the shares
that wait and not with the callers or their frames.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Generic, TypeVar

from posewire_server.serving.access.caller import Caller, CallerFrame
from posewire_server.serving.access.shares import ShareClock

Frame = TypeVar("Frame", bound=CallerFrame)

# Frames in progress beyond the depth, only for callers with no other, and for shares with at most
# one other. They are prepared while the network runs others, and so do not lose a turn to a caller
# that has several ready.
_SPARE = 2


class _Group:
    """The callers of one share with waiting frames, in the order of their turns.

    Those with none in progress, and those with some but fewer than they may have. The first of each
    is next.
    """

    def __init__(self) -> None:
        self.idle: OrderedDict[Caller, None] = OrderedDict()
        self.working: OrderedDict[Caller, None] = OrderedDict()

    def place(self, caller: Caller) -> None:
        """Move a caller to the queue where it belongs; in the same queue it keeps its place."""
        is_idle = bool(caller.waiting) and caller.in_progress == 0
        is_working = bool(caller.waiting) and 0 < caller.in_progress < caller.max_in_progress
        for queue, belongs in ((self.idle, is_idle), (self.working, is_working)):
            if belongs:
                queue.setdefault(caller)
            else:
                queue.pop(caller, None)


class Turns(Generic[Frame]):
    """The callers with waiting frames; belongs to one event loop.

    At most `depth` frames are in progress at a time, plus `_SPARE` of callers with no other.
    """

    def __init__(self, *, depth: int) -> None:
        self._depth = depth
        self._in_progress = 0
        self._waiting = 0
        self._waiting_runs = 0
        # The shares with callers that may start a frame, and the frames in progress of all shares.
        self._groups: dict[str, _Group] = {}
        self._of_share: Counter[str] = Counter()
        self._clock = ShareClock()

    @property
    def max_in_progress(self) -> int:
        return self._depth + _SPARE

    @property
    def waiting(self) -> int:
        """How many frames wait."""
        return self._waiting

    @property
    def waiting_runs(self) -> int:
        """How often the network will run for the frames that wait."""
        return self._waiting_runs

    @property
    def is_full(self) -> bool:
        """Whether frames wait because as many as useful are in progress."""
        return self._waiting > 0 and self._in_progress >= self._depth

    @property
    def is_busy(self) -> bool:
        """Whether any frame is in progress."""
        return self._in_progress > 0

    def add(self, frame: Frame) -> Frame | None:
        """Queue a frame and return the one that it replaces, if any."""
        caller = frame.caller
        superseded: Frame | None = None
        if caller.keeps_newest and caller.waiting:
            superseded = caller.waiting.popitem()[0]
            self._count(superseded, -1)
        caller.waiting[frame] = None
        self._count(frame, 1)
        self._place(caller)
        return superseded

    def take(self) -> Frame | None:
        """Start the next frame, unless none waits or enough are in progress."""
        while (group := self._next_group()) is not None:
            queue = group.idle or group.working
            caller = next(iter(queue))
            self._clock.charge(caller.share)
            caller.turns_used += 1
            if caller.turns_used < next(iter(caller.waiting)).network_runs:
                queue.move_to_end(caller)
            else:
                del queue[caller]
                return self._start(caller)
        return None

    def finish(self, frame: Frame) -> None:
        """Record that a frame returned by `take` is no longer in progress."""
        frame.caller.in_progress -= 1
        self._of_share[frame.caller.share.name] -= 1
        self._in_progress -= 1
        self._place(frame.caller)

    def remove(self, frame: Frame) -> bool:
        """Remove a waiting frame; return whether it was waiting."""
        waits = frame in frame.caller.waiting
        if waits:
            del frame.caller.waiting[frame]
            self._count(frame, -1)
            self._place(frame.caller)
        return waits

    def _start(self, caller: Caller) -> Frame:
        frame: Frame = caller.waiting.popitem(last=False)[0]
        caller.turns_used = 0
        caller.in_progress += 1
        self._of_share[caller.share.name] += 1
        self._in_progress += 1
        self._count(frame, -1)
        self._place(caller)
        return frame

    def _count(self, frame: Frame, change: int) -> None:
        """Count a frame that begins (1) or ceases (-1) to wait."""
        self._waiting += change
        self._waiting_runs += change * frame.network_runs

    def _next_group(self) -> _Group | None:
        """Return the share whose turn it is; None if none waits or enough are in progress."""
        if self._in_progress >= self.max_in_progress:
            return None
        names: Iterable[str] = self._groups
        if self._in_progress >= self._depth:
            counts = self._of_share
            names = (
                name
                for name, group in self._groups.items()
                if group.idle or (name and counts[name] < _SPARE)
            )
        name = self._clock.first(names)
        return None if name is None else self._groups[name]

    def _place(self, caller: Caller) -> None:
        name = caller.share.name
        group = self._groups.get(name)
        if group is None:
            if not caller.waiting:
                return
            group = self._groups[name] = _Group()
        group.place(caller)
        if not (group.idle or group.working):
            del self._groups[name]
