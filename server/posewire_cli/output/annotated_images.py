"""Writes annotated images as files."""

from __future__ import annotations

from pathlib import Path

import cv2

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.drawn_frames import DrawnImages
from posewire_client import Result


def annotated_file(directory: Path, file_stem: str) -> Path:
    """Return the file of an image."""
    return directory / f"{file_stem}.png"


class AnnotatedImages:
    """Writes a PNG for each result into a directory. Directories are created if missing."""

    def __init__(self, directory: Path, images: DrawnImages) -> None:
        self._directory = directory
        self._images = images

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, Result):
            path = annotated_file(self._directory, image.file_stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not cv2.imwrite(str(path), self._images.draw(image)):
                raise OutputError(f"{path}: cannot be written; check disk space and permissions")

    def close(self) -> None:
        pass
