"""Requests for the metrics of a worker, which it writes into a file in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

# Sends a request of that number with the descriptor of the file; returns whether it could.
Send = Callable[[int, int], bool]

# Requests that a worker which stalls may have before it: more would fill the link to it, which then
# has no room for what the worker has to do.
_MAX_UNREAD = 8


class MetricsRequests:
    """The requests to one worker; belongs to one event loop.

    Each has a number of its own: an answer may come after its request was given up.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sent = 0
        self._read = 0
        self._unanswered: dict[int, asyncio.Future[None]] = {}

    async def ask(self) -> bytes:
        """Return text of Prometheus; waits for as long as the worker does not answer.

        Empty if the worker has not read earlier requests.
        """
        if self._sent - self._read >= _MAX_UNREAD:
            return b""
        self._sent += 1
        number = self._sent
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unanswered[number] = answered
        file = os.memfd_create("metrics")
        try:
            if not self._send(number, file):
                self._sent -= 1
                return b""
            await answered
            return os.pread(file, os.fstat(file).st_size, 0)
        finally:
            os.close(file)
            del self._unanswered[number]

    def answer(self, number: int) -> None:
        """Record that the worker has written the file of a request."""
        self._read = max(self._read, number)
        answered = self._unanswered.get(number)
        if answered is not None and not answered.done():
            answered.set_result(None)

    def end(self) -> None:
        """End all requests of a worker that has ended; those without an answer are empty."""
        for number in self._unanswered:
            self.answer(number)
