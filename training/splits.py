"""Which scenes are for what: the same renderer, seeds that never meet."""

from __future__ import annotations

import enum

from training.renderer import Scene, render_still


class Split(enum.IntEnum):
    """The first number of a scene's seed; the second is the scene's index."""

    TRAINING = 1
    VALIDATION = 2
    HELD_OUT = 3
    SAMPLE = 4


def scene(split: Split, index: int, *, size: int | tuple[int, int]) -> Scene:
    """Scene number `index` of a split; `size` is its side, or its width and height, in pixels."""
    return render_still((int(split), index), size=size)
