"""Draws results into images and into the frames of a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.stage_times import stage_line
from posewire_cli.output.text_lines import count_people, describe
from posewire_client import Pose, Result, Skeleton
from posewire_client.drawing import PersonColours, Style, Trails, draw_poses


class DrawnImages:
    """Draws the poses of results into copies of their images."""

    def __init__(self, skeleton: Skeleton, style: Style) -> None:
        self._skeleton = skeleton
        self._style = style

    def draw(self, image: AnsweredImage) -> NDArray[np.uint8]:
        canvas = image.pixels().copy()
        if isinstance(image.outcome, Result):
            draw_poses(canvas, image.outcome.poses, self._skeleton, self._style)
        return canvas


class DrawnFrames:
    """Draws poses and a caption into copies of frames, which are given in order.

    A skipped or failed frame has the poses of the last result; its caption has the reason.
    `timings`: whether captions have the time of each stage. `tracked`: whether colours are those of
    tracks, and grey for poses without one. `trail_frames`: the length of trails, 0 for none.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        style: Style,
        *,
        timings: bool = False,
        tracked: bool = False,
        trail_frames: int = 0,
    ) -> None:
        self._skeleton = skeleton
        self._style = style
        self._timings = timings
        self._poses: tuple[Pose, ...] = ()
        self._colours: Sequence[int | None] = []
        self._people = None if tracked else PersonColours()
        self._trails = Trails(skeleton, trail_frames) if trail_frames else None

    def draw(self, image: AnsweredImage) -> NDArray[np.uint8]:
        canvas = image.pixels().copy()
        outcome = image.outcome
        if isinstance(outcome, Result):
            self._poses = outcome.poses
            self._colours = self._choose_colours(outcome.poses)
            caption = [f"{image.name}: {count_people(outcome)}"]
            if self._timings:
                caption.append(stage_line(outcome.stage_times))
        else:
            caption = [f"{image.name}: {describe(outcome)}"]
        if self._trails is not None:
            self._trails.add(outcome.poses if isinstance(outcome, Result) else ())
            self._trails.draw(canvas)
        draw_poses(
            canvas, self._poses, self._skeleton, self._style, caption=caption, colors=self._colours
        )
        return canvas

    def _choose_colours(self, poses: Sequence[Pose]) -> Sequence[int | None]:
        if self._people is None:
            return [pose.track_id for pose in poses]
        return self._people.assign(poses)
