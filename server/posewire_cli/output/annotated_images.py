"""Draws results into their images."""

from __future__ import annotations

from pathlib import Path

import cv2

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import Result, Skeleton
from posewire_client.drawing import Style, draw_poses


def annotated_file(directory: Path, file_stem: str) -> Path:
    """Return the file of an image."""
    return directory / f"{file_stem}.png"


class AnnotatedImages:
    """Writes a PNG for each result into a directory. Directories are created if missing."""

    def __init__(self, directory: Path, skeleton: Skeleton, style: Style = Style()) -> None:
        self._directory = directory
        self._skeleton = skeleton
        self._style = style

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, Result):
            canvas = image.pixels().copy()
            draw_poses(canvas, image.outcome.poses, self._skeleton, self._style)
            path = annotated_file(self._directory, image.file_stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not cv2.imwrite(str(path), canvas):
                raise OutputError(f"{path}: cannot be written; check disk space and permissions")

    def close(self) -> None:
        pass
