"""The budget for the bytes of images that are received and not yet answered."""

from __future__ import annotations

import asyncio
import threading

from posewire_server.serving.access.caller import Caller
from posewire_server.serving.scheduling.allocator import return_free_memory

# The share of the budget that one caller may hold.
_SHARE = 0.25
# When less is held than at the peak, by this share of the budget, free memory is returned to the
# system after a delay. It is below the share of a caller, so that the peak of a single one counts.
_TRIM_SHARE = 0.75 * _SHARE
_TRIM_SECS = 1.0


class Hold:
    """The bytes of one image, part of the budget until `release`."""

    def __init__(self, budget: ByteBudget, caller: Caller, size: int) -> None:
        self._budget = budget
        self._caller = caller
        self._size = size

    def release(self) -> None:
        """Give the bytes back; no effect when called again."""
        size, self._size = self._size, 0
        if size:
            self._budget.give_back(self._caller, size)


class ByteBudget:
    """Bounds the bytes held by `limit`, plus one image for each caller.

    A caller holds at most a quarter of the budget, but may always hold one image, however much
    others hold. Belongs to one event loop.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        # The most that was held since free memory was last returned to the system.
        self._peak = 0
        self._trim: asyncio.TimerHandle | None = None
        self._released = asyncio.Event()

    def take(self, caller: Caller, size: int) -> Hold | None:
        """Hold the bytes of an image; return None if there is no room."""
        own, total = caller.held_bytes + size, self._held + size
        if caller.held_bytes and (own > _SHARE * self._limit or total > self._limit):
            return None
        caller.held_bytes, self._held = own, total
        self._peak = max(self._peak, self._held)
        return Hold(self, caller, size)

    async def wait(self, caller: Caller, size: int) -> Hold:
        """Hold the bytes of an image as soon as there is room for it.

        Meanwhile the image is in memory without being counted: one for each caller that waits.
        """
        while (hold := self.take(caller, size)) is None:
            self._released.clear()
            await self._released.wait()
        return hold

    def give_back(self, caller: Caller, size: int) -> None:
        """Release bytes; called by `Hold`."""
        caller.held_bytes -= size
        self._held -= size
        self._released.set()
        if self._peak - self._held > _TRIM_SHARE * self._limit and self._trim is None:
            self._trim = asyncio.get_running_loop().call_later(_TRIM_SECS, self._return_memory)

    def _return_memory(self) -> None:
        self._trim = None
        self._peak = self._held
        threading.Thread(target=return_free_memory, name="trim", daemon=True).start()
