"""Answers as the files that OpenPose writes."""

from __future__ import annotations

import json
from pathlib import Path

from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import Result


class OpenPoseFiles:
    """One file for each image, called as OpenPose calls it, in a directory that is made if needed.

    None for an image that was skipped or could not be handled.
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
