"""Writes tracks as text in the format of MOTChallenge."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TextIO

from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import Pose, Result

_LOG = logging.getLogger(__name__)


class MotFile:
    """Writes a line for each pose that has a track: frame, id, left, top, width, height, score.

    Three columns of -1 follow, for positions in space. Frames are counted from 1. Boxes are those
    of the poses, in frame space. The file is opened at the first image.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def write(self, image: AnsweredImage) -> None:
        if self._file is None:
            self._file = self._path.open("w")
        if isinstance(image.outcome, Result):
            frame = image.image_id + 1
            self._file.writelines(
                _line(frame, pose.track_id, pose)
                for pose in image.outcome.poses
                if pose.track_id is not None
            )

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            _LOG.info("wrote %s", self._path)


def _line(frame: int, track_id: int, pose: Pose) -> str:
    box = pose.box
    width, height = box.x_max - box.x_min, box.y_max - box.y_min
    corner = f"{box.x_min:.2f},{box.y_min:.2f}"
    return f"{frame},{track_id},{corner},{width:.2f},{height:.2f},{pose.score:.4f},-1,-1,-1\n"
