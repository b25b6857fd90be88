"""The options with which a shipped configuration starts the server."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import tomllib


def options_of(*arguments: str, **variables: str) -> dict[str, Any]:
    """Return all options of `posewire serve` with these arguments and environment variables."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("POSEWIRE_")
    }
    command = ["posewire", "serve", *arguments, "--print-config"]
    environment |= variables
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return tomllib.loads(done.stdout)
