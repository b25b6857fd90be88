"""Draws results into their frames and writes a video."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.stage_times import stage_line
from posewire_cli.output.text_lines import count_people, describe
from posewire_client import Pose, Result, Skeleton
from posewire_client.drawing import PersonColours, Style, draw_poses

_LOG = logging.getLogger(__name__)

# Supported by the FFmpeg of OpenCV's wheels.
_ENCODERS = {".mp4": "mp4v", ".avi": "MJPG", ".webm": "VP80"}


def check_suffix(path: Path) -> None:
    """Raise `OutputError` for a container that is not supported."""
    if path.suffix.lower() not in _ENCODERS:
        raise OutputError(
            f"--annotated {path}: got the suffix {path.suffix!r}, want one of "
            f"{', '.join(_ENCODERS)}"
        )


class AnnotatedVideo:
    """Writes a video of all frames, in the format of its suffix: .mp4, .avi or .webm.

    A skipped or failed frame shows the poses of the last result; its caption has the reason.
    Raises `OutputError` for a file that cannot be written.
    """

    def __init__(
        self,
        path: Path,
        skeleton: Skeleton,
        *,
        rate: float,
        style: Style = Style(color_by="person"),
    ) -> None:
        check_suffix(path)
        self._path = path
        self._skeleton = skeleton
        self._rate = rate
        self._style = style
        self._video: cv2.VideoWriter | None = None
        self._poses: tuple[Pose, ...] = ()
        self._colours: list[int] = []
        self._people = PersonColours()

    def write(self, image: AnsweredImage) -> None:
        canvas = image.pixels().copy()
        outcome = image.outcome
        if isinstance(outcome, Result):
            self._poses = outcome.poses
            self._colours = self._people.assign(outcome.poses)
            caption = [
                f"{image.name}: {count_people(outcome)}",
                stage_line(outcome.stage_times),
            ]
        else:
            caption = [f"{image.name}: {describe(outcome)}"]
        draw_poses(
            canvas, self._poses, self._skeleton, self._style, caption=caption, colors=self._colours
        )
        self._open(canvas).write(canvas)

    def close(self) -> None:
        if self._video is not None:
            self._video.release()
            _LOG.info("wrote %s", self._path)

    def _open(self, frame: NDArray[np.uint8]) -> cv2.VideoWriter:
        """Open the video at the first frame, which determines its size."""
        if self._video is None:
            height, width = frame.shape[:2]
            encoder = cv2.VideoWriter.fourcc(*_ENCODERS[self._path.suffix.lower()])
            with _silence_stderr():  # OpenCV warns about a codec tag that WebM does not use
                self._video = cv2.VideoWriter(str(self._path), encoder, self._rate, (width, height))
            if not self._video.isOpened():
                raise OutputError(f"{self._path}: the video cannot be written")
        return self._video


@contextmanager
def _silence_stderr() -> Iterator[None]:
    """Discard what C libraries write to stderr."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
