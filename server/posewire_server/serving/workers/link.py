"""Messages between the parent and a worker: JSON objects in packets, with file descriptors."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[Message, list[int]], object]

_MAX_BYTES = 1 << 16
# Listening sockets of one server: one for each address of its host.
_MAX_FILES = 64


def link_ends() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a link, which preserves the boundaries of messages."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Link:
    """One end of a link; belongs to one event loop.

    `receive` owns the descriptors it is called with. `on_end` is called once, when the other side
    has ended.
    """

    def __init__(
        self, end: socket.socket, *, receive: Receive, on_end: Callable[[], object]
    ) -> None:
        self._end = end
        self._receive = receive
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        end.setblocking(False)
        self._loop.add_reader(end.fileno(), self._read)

    def send(self, kind: str, files: Sequence[int] = (), **fields: object) -> bool:
        """Send a message; return False if the other side has ended or does not read."""
        data = json.dumps({"kind": kind, **fields}).encode()
        try:
            socket.send_fds(self._end, [data], files)
        except OSError:  # also of a full buffer, and after `close`
            return False
        return True

    def read_rest(self) -> None:
        """Receive what the other side has sent before it ended."""
        while self._end.fileno() >= 0 and self._read():
            continue

    def close(self) -> None:
        if self._end.fileno() >= 0:
            self._loop.remove_reader(self._end.fileno())
            self._end.close()

    def _read(self) -> bool:
        """Receive one message; return whether there was one."""
        files: list[int] = []
        try:
            data, files, _, _ = socket.recv_fds(self._end, _MAX_BYTES, _MAX_FILES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.close()
            self._on_end()
            return False
        self._receive(json.loads(data), files)
        return True


def close_files(files: Sequence[int]) -> None:
    for each in files:
        with suppress(OSError):
            os.close(each)
