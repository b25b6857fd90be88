"""A server of the tests in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """Where it listens, and its process."""

    address: str
    pid: int

    @property
    def resident_bytes(self) -> int:
        """The memory that the process has now."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def server_process(module: str, *arguments: str) -> Iterator[ServerProcess]:
    """`module`, run as a program, prints its address once it is ready; it ends with the block."""
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, f"{module} ended before it was ready"
            yield ServerProcess(address, process.pid)
        finally:
            process.kill()
