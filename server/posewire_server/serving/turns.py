"""Turns: whose frame is the next to be worked on.

Callers take turns, one frame at a time, so that no share depends on how many frames a caller has.
Every operation takes constant time.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from posewire_server.serving.caller import Caller, CallerFrame

Frame = TypeVar("Frame", bound=CallerFrame)

# Frames beyond the depth for callers that have none in progress: theirs are prepared while the
# network runs others, and do not lose a turn to a caller that keeps several ready.
_SPARE = 2


class Turns(Generic[Frame]):
    """The callers with waiting frames, in the order of their turns; belongs to one event loop.

    At most `depth` frames are in progress at a time, and `_SPARE` more of callers with no other.
    """

    def __init__(self, *, depth: int) -> None:
        self._depth = depth
        self._in_progress = 0
        # Callers with waiting frames: those with none in progress, and those with some but fewer
        # than they may have. The first of each is next.
        self._idle: OrderedDict[Caller, None] = OrderedDict()
        self._working: OrderedDict[Caller, None] = OrderedDict()

    @property
    def max_in_progress(self) -> int:
        return self._depth + _SPARE

    @property
    def is_busy(self) -> bool:
        """Whether any frame is in progress."""
        return self._in_progress > 0

    def add(self, frame: Frame) -> Frame | None:
        """Queue a frame and return the one whose place it takes, if any."""
        caller = frame.caller
        superseded: Frame | None = None
        if caller.keeps_newest and caller.waiting:
            superseded = caller.waiting.popitem()[0]
        caller.waiting[frame] = None
        self._place(caller)
        return superseded

    def take(self) -> Frame | None:
        """Start the next frame, unless none waits or enough are in progress."""
        if self._idle and self._in_progress < self.max_in_progress:
            caller, _ = self._idle.popitem(last=False)
        elif self._working and self._in_progress < self._depth:
            caller, _ = self._working.popitem(last=False)
        else:
            return None
        frame: Frame = caller.waiting.popitem(last=False)[0]
        caller.in_progress += 1
        self._in_progress += 1
        self._place(caller)
        return frame

    def finish(self, frame: Frame) -> None:
        """Make room for another frame after one that `take` returned."""
        frame.caller.in_progress -= 1
        self._in_progress -= 1
        self._place(frame.caller)

    def remove(self, frame: Frame) -> bool:
        """Remove a frame if it still waits."""
        waits = frame in frame.caller.waiting
        if waits:
            del frame.caller.waiting[frame]
            self._place(frame.caller)
        return waits

    def _place(self, caller: Caller) -> None:
        """Keep a caller's place where it belongs in the same queue as before, else give it one."""
        is_idle = bool(caller.waiting) and caller.in_progress == 0
        is_working = bool(caller.waiting) and 0 < caller.in_progress < caller.max_in_progress
        for queue, belongs in ((self._idle, is_idle), (self._working, is_working)):
            if belongs:
                queue.setdefault(caller)
            else:
                queue.pop(caller, None)
