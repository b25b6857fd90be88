"""Turns: the order in which the frames of all callers are processed.

Callers take turns, one frame at a time, so a caller's share does not grow with its frames.
Every operation takes constant time.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from posewire_server.serving.caller import Caller, CallerFrame

Frame = TypeVar("Frame", bound=CallerFrame)

# Frames in progress beyond the depth, only for callers with no other. They are prepared while the
# network runs others, and so do not lose a turn to a caller that has several ready.
_SPARE = 2


class Turns(Generic[Frame]):
    """The callers with waiting frames, in the order of their turns; belongs to one event loop.

    At most `depth` frames are in progress at a time, plus `_SPARE` of callers with no other.
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
        """Queue a frame and return the one that it replaces, if any."""
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
        """Record that a frame returned by `take` is no longer in progress."""
        frame.caller.in_progress -= 1
        self._in_progress -= 1
        self._place(frame.caller)

    def remove(self, frame: Frame) -> bool:
        """Remove a waiting frame; return whether it was waiting."""
        waits = frame in frame.caller.waiting
        if waits:
            del frame.caller.waiting[frame]
            self._place(frame.caller)
        return waits

    def _place(self, caller: Caller) -> None:
        """Move a caller to the queue where it belongs; in the same queue it keeps its place."""
        is_idle = bool(caller.waiting) and caller.in_progress == 0
        is_working = bool(caller.waiting) and 0 < caller.in_progress < caller.max_in_progress
        for queue, belongs in ((self._idle, is_idle), (self._working, is_working)):
            if belongs:
                queue.setdefault(caller)
            else:
                queue.pop(caller, None)
