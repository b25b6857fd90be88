"""Reads files and pipes up to a limit."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from posewire_cli.errors import SourceError

# Far above what servers accept by default: a device such as /dev/zero has no end.
MAX_BYTES = 256 << 20
_CHUNK_BYTES = 1 << 20


def read_file(path: Path) -> bytes:
    """Read a file or pipe. Raises `SourceError` if it is too large, and `OSError`."""
    with path.open("rb", buffering=0) as file:
        return read_bounded(lambda: file.read(_CHUNK_BYTES) or b"")


def read_stdin() -> bytes:
    """Read standard input to its end. Raises `SourceError` for a terminal and for too much."""
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError("is a terminal, want an image in a pipe or file")
    descriptor = sys.stdin.fileno()
    # Not through sys.stdin, whose lock would be held while this waits and the process ends.
    return read_bounded(lambda: os.read(descriptor, _CHUNK_BYTES))


def read_bounded(read_chunk: Callable[[], bytes]) -> bytes:
    """Join chunks up to an empty one. Raises `SourceError` for more than `MAX_BYTES`."""
    content = bytearray()
    while chunk := read_chunk():
        content += chunk
        if len(content) > MAX_BYTES:
            raise SourceError(f"is larger than {MAX_BYTES >> 20} MiB, want an image file")
    return bytes(content)
