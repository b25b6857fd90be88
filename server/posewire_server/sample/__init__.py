"""A still and a clip of drawn people to try posewire on, rendered by `training/sample.py`."""

from __future__ import annotations

from pathlib import Path

_DIRECTORY = Path(__file__).parent

STILL = _DIRECTORY / "still.jpg"
CLIP = _DIRECTORY / "clip.mp4"
