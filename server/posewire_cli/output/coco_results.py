"""Poses in COCO results format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.whole_file import write_whole
from posewire_client import Result


class CocoResults:
    """Writes the poses of all images to one file when it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records: list[dict[str, Any]] = []

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, Result):
            self._records.extend(image.outcome.to_coco(image.image_id))

    def close(self) -> None:
        write_whole(self._path, json.dumps(self._records))
