"""Poses in COCO results format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.whole_file import write_whole
from posewire_client import Result


class CocoResults:
    """Writes the poses of all images to one file when it is closed.

    A run that fails before its first image leaves a file of an earlier run alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: list[dict[str, Any]] = []
        self._has_images = False

    def write(self, image: AnsweredImage) -> None:
        self._has_images = True
        if isinstance(image.outcome, Result):
            self._records.extend(image.outcome.to_coco(image.image_id))

    def close(self) -> None:
        if self._has_images:
            write_whole(self._path, json.dumps(self._records))
