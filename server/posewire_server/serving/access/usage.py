"""What callers use of their quotas, in one process or in several that share a table."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

# The caller that stands for all of them.
ALL = "*"

# Callers with streams or frames at a time; others are counted in each process alone.
_ROWS = 4096
_KEY_BYTES = 16
_NO_KEY = bytes(_KEY_BYTES)
_CELL = struct.Struct("<I")
# A caller is active in a process for this long after a frame.
_ACTIVE_SECS = 2
# A process that is stopped while it holds the lock, for microseconds, does not stop the others.
_LOCK_ATTEMPTS = 50
_LOCK_PAUSE_SECS = 0.001


class Usage:
    """Counts the streams of callers by name."""

    def __init__(self) -> None:
        self._streams: Counter[str] = Counter()

    def open_stream(self, caller: str, limit: int | None) -> bool:
        """Count a stream, unless the caller has as many as the limit."""
        if limit is not None and self._streams[caller] >= limit:
            return False
        self._streams[caller] += 1
        return True

    def close_stream(self, caller: str) -> None:
        self._streams[caller] -= 1
        if not self._streams[caller]:
            del self._streams[caller]

    def record_frame(self, caller: str) -> int:
        """Record a frame; return how many processes had one of the caller in the last seconds."""
        return 1


class SharedUsage(Usage):
    """Counts the streams of all processes in a file in memory, which `usage_file` creates.

    The file has the keys of all rows, and for each process a column with the streams of each caller
    and one with the time of its last frame, in seconds. A process writes its own columns only.
    """

    def __init__(self, file: int, *, processes: int, process: int) -> None:
        """Use this file, which the caller may close afterwards."""
        super().__init__()
        self._file = os.dup(file)
        self._memory = mmap.mmap(file, _size(processes))
        self._processes = processes
        self._process = process
        self._rows: dict[str, int] = {}
        # The second in which this process last freed rows.
        self._freed_at = -1

    def open_stream(self, caller: str, limit: int | None) -> bool:
        with self._locked():
            row = self._row(caller)
            if row is None:
                return super().open_stream(caller, limit)
            # Its own are counted here, also those that it opened while the table was full.
            others = sum(
                self._read(row, each, 0) for each in range(self._processes) if each != self._process
            )
            if not super().open_stream(caller, None if limit is None else limit - others):
                return False
            self._write(row, 0, self._streams[caller])
            return True

    def close_stream(self, caller: str) -> None:
        super().close_stream(caller)
        with self._locked():
            if (row := self._row(caller)) is not None:
                self._write(row, 0, self._streams[caller])

    def record_frame(self, caller: str) -> int:
        row = self._rows.get(caller)
        if row is None or not self._is_row_of(row, caller):
            with self._locked():
                row = self._row(caller)
        if row is None:
            return 1
        now = _now()
        self._write(row, 1, now)
        return sum(
            now - self._read(row, each, 1) <= _ACTIVE_SECS for each in range(self._processes)
        )

    def clear(self, process: int) -> None:
        """Count nothing of a process that has ended."""
        begin = _column(process, 0)
        self._memory[begin : begin + 2 * _ROWS * _CELL.size] = bytes(2 * _ROWS * _CELL.size)

    def _row(self, caller: str) -> int | None:
        """Return the row of a caller, a new one if it has none; None if all are in use."""
        row = self._rows.get(caller)
        if row is not None and self._is_row_of(row, caller):
            return row
        key = _key(caller)
        row = self._find(key)
        if row is None and (row := self._find(_NO_KEY)) is None and self._freed_at != _now():
            self._freed_at = _now()
            self._free_rows()
            row = self._find(_NO_KEY)
        if row is not None:
            self._memory[row * _KEY_BYTES : (row + 1) * _KEY_BYTES] = key
            if len(self._rows) >= _ROWS:  # most of them have other callers by now
                self._rows.clear()
            self._rows[caller] = row
        return row

    def _find(self, key: bytes) -> int | None:
        at, end = 0, _ROWS * _KEY_BYTES
        while (at := self._memory.find(key, at, end)) >= 0:
            if at % _KEY_BYTES == 0:
                return at // _KEY_BYTES
            at += 1
        return None

    def _free_rows(self) -> None:
        """Free the rows of callers without streams that are not active."""
        columns = np.frombuffer(self._memory, _CELL.format, offset=_column(0, 0))
        columns = columns.reshape(self._processes, 2, _ROWS).astype(np.int64)
        streams, active_at = columns[:, 0], columns[:, 1]
        is_used = (streams > 0) | (active_at + _ACTIVE_SECS >= _now())
        keys = np.frombuffer(self._memory, np.uint8, _ROWS * _KEY_BYTES).reshape(_ROWS, _KEY_BYTES)
        keys[~is_used.any(axis=0)] = 0

    def _is_row_of(self, row: int, caller: str) -> bool:
        return self._memory[row * _KEY_BYTES : (row + 1) * _KEY_BYTES] == _key(caller)

    def _read(self, row: int, process: int, column: int) -> int:
        value: int = _CELL.unpack_from(self._memory, _column(process, column) + row * _CELL.size)[0]
        return value

    def _write(self, row: int, column: int, value: int) -> None:
        at = _column(self._process, column) + row * _CELL.size
        _CELL.pack_into(self._memory, at, value)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock of the file, which a process that dies releases."""
        for _ in range(_LOCK_ATTEMPTS):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                time.sleep(_LOCK_PAUSE_SECS)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


def usage_file(processes: int) -> int:
    """Return the descriptor of a file for the usage of this many processes."""
    file = os.memfd_create("usage")
    os.truncate(file, _size(processes))
    return file


def _size(processes: int) -> int:
    return _column(processes, 0)


def _column(process: int, column: int) -> int:
    return _ROWS * (_KEY_BYTES + (2 * process + column) * _CELL.size)


def _key(caller: str) -> bytes:
    return hashlib.blake2b(caller.encode(), digest_size=_KEY_BYTES).digest()


def _now() -> int:
    return int(time.monotonic())
