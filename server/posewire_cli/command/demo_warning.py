"""The warning about the model demo, which is trained on drawn people only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from posewire_server.sample import is_sample

_WARNING = (
    "posewire: warning: the model demo is trained on drawn people only, and on other images its "
    "poses are wrong; for photographs use a published model, such as higher-hrnet-w32 "
    "(see posewire models list)"
)


def warn_about_demo(model: str, sources: Iterable[str | Path]) -> None:
    """Print the warning on stderr if `model` is demo and not all sources are bundled samples."""
    if model == "demo" and not all(map(is_sample, sources)):
        print(_WARNING, file=sys.stderr, flush=True)


def warn_about_serving_demo(models: Iterable[str]) -> None:
    """Print the warning on stderr if demo is among the models: clients may send any image."""
    if "demo" in models:
        print(_WARNING, file=sys.stderr, flush=True)
