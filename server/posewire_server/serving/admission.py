"""How many images are worked on at a time, and how many more may wait."""

from __future__ import annotations

import asyncio


class Admission:
    """A bounded queue in front of a pipeline; belongs to one event loop.

    `at_work` images are worked on at the same time, first come, first served, and `waiting` more
    may wait. Who is cancelled while waiting for a turn has left the queue.
    """

    def __init__(self, *, at_work: int, waiting: int) -> None:
        self.turn = asyncio.Semaphore(at_work)
        self._limit = at_work + waiting
        self._places = 0
        self._has_room = asyncio.Event()
        self._has_room.set()

    def try_enter(self) -> bool:
        """Takes a place, if there is one."""
        if self._places == self._limit:
            return False
        self._places += 1
        if self._places == self._limit:
            self._has_room.clear()
        return True

    async def enter(self) -> None:
        """Takes a place as soon as there is one."""
        while not self.try_enter():
            await self._has_room.wait()

    def leave(self) -> None:
        """Gives a place back."""
        self._places -= 1
        self._has_room.set()
