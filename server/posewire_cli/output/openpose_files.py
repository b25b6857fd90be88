"""Writes results in OpenPose's format."""

from __future__ import annotations

import json
from pathlib import Path

from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import Result


class OpenPoseFiles:
    """Writes one file per result, named as OpenPose does, into a directory.

    The directory is created if missing. Skipped and failed images have no file.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, Result):
            path = self._directory / f"{image.file_stem}_keypoints.json"
            path.write_text(json.dumps(image.outcome.to_openpose()))

    def close(self) -> None:
        pass
