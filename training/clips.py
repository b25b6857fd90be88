"""Clips to measure tracking on: of each plot, a list for each split."""

from __future__ import annotations

from collections.abc import Iterator

from training.renderer import Plot, Scene, render_clip
from training.splits import Split

CLIP_SIZE = (640, 360)
CLIP_FRAMES = 125
CLIP_RATE = 25


def clip(split: Split, plot: Plot, index: int) -> Iterator[Scene]:
    """Render clip number `index` of a plot: five seconds with 25 frames a second."""
    # Stills have seeds of three numbers.
    return render_clip(
        (int(split), int(plot), index, 1),
        size=CLIP_SIZE,
        frame_count=CLIP_FRAMES,
        frames_per_second=CLIP_RATE,
        plot=plot,
    )
