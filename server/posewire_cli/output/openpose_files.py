"""Writes results in OpenPose's format."""

from __future__ import annotations

import json
from pathlib import Path

from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import Result


def openpose_file(directory: Path, file_stem: str) -> Path:
    """Return the file of an image, named as OpenPose does."""
    return directory / f"{file_stem}_keypoints.json"


class OpenPoseFiles:
    """Writes one file per result into a directory.

    Directories are created if missing. Skipped and failed images have no file.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, Result):
            path = openpose_file(self._directory, image.file_stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(image.outcome.to_openpose()))

    def close(self) -> None:
        pass
