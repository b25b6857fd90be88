"""HTTP/2 as no gRPC client speaks it: its headers, its windows, its pings."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_ACK = 1
_INITIAL_WINDOW_SIZE = 4
_END_STREAM, _END_HEADERS = 1, 4
_EMPTY_MESSAGE = bytes(5)
_PATIENCE_SECS = 20


def answer_headers(address: str, path: bytes, **headers: bytes) -> bytes:
    """Call a method with an empty message; return the headers of the answer, encoded.

    Empty if the stream is reset. `_` in the names of headers stands for `-`.
    """
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return answer_headers_to(address, {b":path": path, **named})


def answer_headers_to(
    address: str, headers: dict[bytes, bytes], *, source: tuple[str, int] | None = None
) -> bytes:
    """As `answer_headers`, with names of any bytes; `source` is where to connect from."""
    with _connection(address, source) as connection:
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + _call(1, headers))
        answer = b""
        for kind, flags, payload in _frames_of_stream(connection):
            if kind == _HEADERS:
                answer += payload
            if kind == _RST_STREAM or flags & _END_STREAM:
                break
        return answer


@contextmanager
def unread_calls(address: str, path: bytes, *, count: int) -> Iterator[None]:
    """Make calls on one connection whose answers the server has no window to send."""
    window = struct.pack(">HI", _INITIAL_WINDOW_SIZE, 0)
    with _connection(address, None) as connection:
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, window))
        for stream in range(1, 2 * count, 2):
            connection.sendall(_call(stream, {b":path": path}))
        yield


def pings_answered(address: str, *, count: int, interval_secs: float) -> int:
    """Ping on a connection without a call until the server goes away; return how often it answers.

    Each ping is sent after the answer to the one before and the interval.
    """
    with _connection(address, None) as connection, connection.makefile("rb") as file:
        connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b""))
        for number in range(count):
            time.sleep(interval_secs)
            connection.sendall(_frame(_PING, 0, 0, struct.pack(">Q", number)))
            for _, kind, flags, _ in _read_frames(file):
                if kind == _PING and flags & _ACK:
                    break
                if kind == _GOAWAY:
                    return number
            else:
                return number
    return count


def _connection(address: str, source: tuple[str, int] | None) -> closing[socket.socket]:
    host, port = address.rsplit(":", 1)
    return closing(socket.create_connection((host, int(port)), _PATIENCE_SECS, source))


def _call(stream: int, headers: dict[bytes, bytes]) -> bytes:
    """Return the frames of a call with an empty message."""
    common = {
        b":method": b"POST",
        b":scheme": b"http",
        b":authority": b"test",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
    }
    block = b"".join(_literal(name, value) for name, value in {**common, **headers}.items())
    start = _frame(_HEADERS, _END_HEADERS, stream, block)
    return start + _frame(_DATA, _END_STREAM, stream, _EMPTY_MESSAGE)


def _literal(name: bytes, value: bytes) -> bytes:
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _frames_of_stream(connection: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    with connection.makefile("rb") as file:
        for stream, kind, flags, payload in _read_frames(file):
            if stream == 1 and kind in (_DATA, _HEADERS, _RST_STREAM):
                yield kind, flags if kind != _RST_STREAM else 0, payload


def _read_frames(file: BinaryIO) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield the stream, kind, flags and payload of each frame."""
    while header := file.read(9):
        length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + header)
        yield stream, kind, flags, file.read(length)
