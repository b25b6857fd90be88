"""The sockets of this process, which gRPC does not show."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress

_FILES = "/proc/self/fd"


def count_sockets() -> int:
    return sum(1 for _ in _socket_files())


def listening_sockets(port: int) -> list[socket.socket]:
    """Return duplicates of the sockets that listen on this port."""
    found = []
    for file in _socket_files():
        each = socket.socket(fileno=os.dup(file))
        if _is_listening(each, port):
            found.append(each)
        else:
            each.close()
    return found


def _is_listening(each: socket.socket, port: int) -> bool:
    return (
        each.family in (socket.AF_INET, socket.AF_INET6)
        and bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        and each.getsockname()[1] == port
    )


def _socket_files() -> Iterator[int]:
    for name in os.listdir(_FILES):
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield int(name)
