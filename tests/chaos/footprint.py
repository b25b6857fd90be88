"""What a process holds: memory, file descriptors and threads."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tests.reference.server_process import ServerProcess

MAX_GROWTH_BYTES = 20 << 20
# Longer than the server needs to give up unfinished handshakes, and silent or cancelled calls.
_PATIENCE_SECS = 120.0
_QUIET_SECS = 5.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of a process at one moment."""

    resident_bytes: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, server: ServerProcess) -> Footprint:
        process = Path(f"/proc/{server.pid}")
        return cls(
            server.resident_bytes,
            len(list((process / "fd").iterdir())),
            len(list((process / "task").iterdir())),
        )

    def __str__(self) -> str:
        return (
            f"{self.resident_bytes / (1 << 20):.1f} MiB, {self.descriptors} file descriptors, "
            f"{self.threads} threads"
        )

    def growth_since(self, before: Footprint) -> list[str]:
        """Return what there is too much of."""
        grown = []
        if self.resident_bytes > before.resident_bytes + MAX_GROWTH_BYTES:
            grown.append(f"memory: {before} before, {self} now")
        if self.descriptors > before.descriptors:
            grown.append(f"file descriptors: {before} before, {self} now")
        if self.threads > before.threads:
            grown.append(f"threads: {before} before, {self} now")
        return grown


def quiet_footprint(server: ServerProcess) -> Footprint:
    """Wait until an idle server has held the same descriptors and threads for a while."""
    deadline = time.monotonic() + _PATIENCE_SECS
    last, since = Footprint.of(server), time.monotonic()
    while time.monotonic() < min(deadline, since + _QUIET_SECS):
        time.sleep(0.2)
        now = Footprint.of(server)
        if (now.descriptors, now.threads) != (last.descriptors, last.threads):
            since = time.monotonic()
        last = now
    return last


def settled_footprint(server: ServerProcess, before: Footprint) -> Footprint:
    """Wait for a quiet footprint no larger than before; return the last one if none comes."""
    deadline = time.monotonic() + _PATIENCE_SECS
    while True:
        now = quiet_footprint(server)
        if not now.growth_since(before) or time.monotonic() > deadline:
            return now
