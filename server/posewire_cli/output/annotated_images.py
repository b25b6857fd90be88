"""Draws results into their images."""

from __future__ import annotations

from pathlib import Path

import cv2

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import Result, Skeleton
from posewire_client.drawing import Style, draw_poses


class AnnotatedImages:
    """Writes a PNG for each result into a directory, which is created if missing.

    `min_keypoint_score`: of drawn keypoints; None for the default.
    """

    def __init__(
        self, directory: Path, skeleton: Skeleton, *, min_keypoint_score: float | None = None
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._skeleton = skeleton
        self._min_keypoint_score = min_keypoint_score

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, Result):
            canvas = image.pixels().copy()
            style = Style.for_image(canvas, min_keypoint_score=self._min_keypoint_score)
            draw_poses(canvas, image.outcome.poses, self._skeleton, style)
            path = self._directory / f"{image.file_stem}.png"
            if not cv2.imwrite(str(path), canvas):
                raise OutputError(f"{path}: cannot be written; check disk space and permissions")

    def close(self) -> None:
        pass
