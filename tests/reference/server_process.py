"""A server of the tests in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """Where it listens, and its process."""

    address: str
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def resident_bytes(self) -> int:
        """The memory that the process has now."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def peak_resident_bytes(self) -> int:
        """The most memory that the process has had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024


@contextmanager
def server_process(
    module: str, *arguments: str, stderr: IO[str] | None = None
) -> Iterator[ServerProcess]:
    """`module`, run as a program, prints its address once it is ready; it ends with the block.

    `stderr`: a file for what it writes there, by default that of the tests.
    """
    command = [sys.executable, "-W", "error", "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=stderr, text=True
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, f"{module} ended before it was ready"
            yield ServerProcess(address, process)
        finally:
            process.kill()
