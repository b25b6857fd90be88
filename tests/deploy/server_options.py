"""The options with which a shipped configuration starts the server."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from typing import Any
from unittest import mock

import tomllib

from posewire_cli.command import main


def options_of(*arguments: str, **variables: str) -> dict[str, Any]:
    """Return all options of `posewire serve` with these arguments and environment variables."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("POSEWIRE_")}
    printed = io.StringIO()
    with mock.patch.dict(os.environ, others | variables, clear=True), redirect_stdout(printed):
        code = main(["serve", *arguments, "--print-config"])
    assert code == 0
    return tomllib.loads(printed.getvalue())
