"""Draws results into images and into the frames of a video."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.stage_times import stage_line
from posewire_cli.output.text_lines import count_people, describe
from posewire_client import Pose, Result, Skeleton
from posewire_client.drawing import PersonColours, Style, draw_poses


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
    `timings`: whether captions have the time of each stage.
    """

    def __init__(self, skeleton: Skeleton, style: Style, *, timings: bool = False) -> None:
        self._skeleton = skeleton
        self._style = style
        self._timings = timings
        self._poses: tuple[Pose, ...] = ()
        self._colours: list[int] = []
        self._people = PersonColours()

    def draw(self, image: AnsweredImage) -> NDArray[np.uint8]:
        canvas = image.pixels().copy()
        outcome = image.outcome
        if isinstance(outcome, Result):
            self._poses = outcome.poses
            self._colours = self._people.assign(outcome.poses)
            caption = [f"{image.name}: {count_people(outcome)}"]
            if self._timings:
                caption.append(stage_line(outcome.stage_times))
        else:
            caption = [f"{image.name}: {describe(outcome)}"]
        draw_poses(
            canvas, self._poses, self._skeleton, self._style, caption=caption, colors=self._colours
        )
        return canvas
