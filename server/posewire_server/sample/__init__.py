"""A still and a clip of drawn people to try posewire on, rendered by `training/sample.py`."""

from __future__ import annotations

import filecmp
from pathlib import Path

_DIRECTORY = Path(__file__).parent

STILL = _DIRECTORY / "still.jpg"
CLIP = _DIRECTORY / "clip.mp4"


def is_sample(source: str | Path) -> bool:
    """Return whether this is the path of the still, the clip or a copy of one of them."""
    return any(_is_copy(source, sample) for sample in (STILL, CLIP))


def _is_copy(source: str | Path, sample: Path) -> bool:
    try:
        return filecmp.cmp(source, sample, shallow=False)
    except (OSError, ValueError):  # not a file, such as an address
        return False
