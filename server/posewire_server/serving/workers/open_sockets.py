"""The sockets of this process, which gRPC does not show."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress

_FILES = "/proc/self/fd"
# Of Linux's struct tcp_info: tcpi_unacked, the length of the queue of a socket that listens.
_UNACKED, _UNACKED_AT, _TCP_INFO_BYTES = struct.Struct("=I"), 24, 104


def count_sockets() -> int:
    return sum(1 for _ in _socket_files())


def listening_sockets(port: int) -> list[int]:
    """Return the descriptors of the sockets that listen on this port.

    Meanwhile other threads may close connections, and open files in their place.
    """
    found = []
    for file in _socket_files():
        with suppress(OSError), _duplicate(file) as each:
            if _is_listening(each, port):
                found.append(file)
    return found


def count_waiting(listeners: Sequence[int]) -> int:
    """Return how many connections wait to be accepted at these sockets."""
    waiting = 0
    for file in listeners:
        with suppress(OSError), _duplicate(file) as listener:
            info = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            waiting += _UNACKED.unpack_from(info, _UNACKED_AT)[0]
    return waiting


def _duplicate(file: int) -> socket.socket:
    """Raises `OSError` if this is no socket, or no longer one."""
    duplicate = os.dup(file)
    try:
        return socket.socket(fileno=duplicate)
    except OSError:
        os.close(duplicate)
        raise


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
