"""Run the programs that `make foreignclients` installs."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROTO = ROOT / "proto"
_TOOLS = ROOT / "build" / "tools"
_TIMEOUT_SECS = 120


def go_program(name: str) -> Path:
    return _found(_TOOLS / "foreign" / "bin" / name, "Go 1.26")


def buf() -> Path:
    found = sorted(_TOOLS.glob("buf-*/node_modules/.bin/buf"))
    return _found(found[-1] if found else _TOOLS / "buf", "npm")


def node_modules() -> Path:
    node = shutil.which("node")
    if node is None:
        _miss("no node: install Node.js and npm first (Debian: apt-get install nodejs npm)")
    return _found(_TOOLS / "foreign" / "node_modules", "npm")


def run(
    *command: str | Path, stdin: str = "", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=stdin,
        env={**os.environ, **(env or {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECS,
    )


def _found(path: Path, needed: str) -> Path:
    if not path.exists():
        _miss(f"no {path}: make foreignclients installs it, with {needed}")
    return path


def _miss(reason: str) -> None:
    raise (pytest.fail if "CI" in os.environ else pytest.skip).Exception(reason)
