"""What a benchmark ran on, as docs/performance.md states it."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def measured_on(*versions: str) -> str:
    """Commit, processor and versions, in one line of Markdown."""
    return ", ".join(
        [f"Commit `{commit_of(ROOT)}`", processor(), f"{os.cpu_count()} processors", *versions]
    )


def commit_of(root: Path) -> str:
    """The commit of a working tree, marked if it has changes."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def processor() -> str:
    """The processor's name, as far as the system reports it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
