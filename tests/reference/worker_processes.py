"""The processes of a server with several."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def workers_of(pid: int) -> list[int]:
    """Return the server processes of a parent, without multiprocessing's own."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in children if "spawn_main" in _command_of(int(each))]


def _command_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def is_running(pid: int) -> bool:
    return _command_of(pid) != ""
