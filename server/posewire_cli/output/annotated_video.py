"""Answers drawn into their frames, as a video."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.drawing import Style, draw_caption, draw_poses
from posewire_cli.output.stage_times import stage_line
from posewire_cli.output.text_lines import counted_people, told
from posewire_client import Pose, Result, Skeleton

# What the FFmpeg in OpenCV's wheels can encode.
_ENCODERS = {".mp4": "mp4v", ".avi": "MJPG", ".webm": "VP80"}


class AnnotatedVideo:
    """A video of all frames; its suffix chooses the format: .mp4, .avi or .webm.

    A frame without poses of its own, because it was skipped or could not be handled, shows those of
    the last one that has, and says so. Raises `OutputError` for a file that cannot be written.
    """

    def __init__(
        self, path: Path, skeleton: Skeleton, *, rate: float, min_keypoint_score: float
    ) -> None:
        if path.suffix.lower() not in _ENCODERS:
            raise OutputError(
                f"{path}: got a video called {path.suffix or 'without a suffix'!r}, want one of "
                f"{', '.join(_ENCODERS)}"
            )
        self._path = path
        self._skeleton = skeleton
        self._rate = rate
        self._min_keypoint_score = min_keypoint_score
        self._video: cv2.VideoWriter | None = None
        self._poses: tuple[Pose, ...] = ()

    def write(self, image: AnsweredImage) -> None:
        canvas = image.pixels().copy()
        style = Style.for_image(canvas, min_keypoint_score=self._min_keypoint_score)
        outcome = image.outcome
        if isinstance(outcome, Result):
            self._poses = outcome.poses
            caption = [
                f"{image.name}: {counted_people(outcome)}",
                stage_line(outcome.stage_times),
            ]
        else:
            caption = [f"{image.name}: {told(outcome)}"]
        draw_poses(canvas, self._poses, self._skeleton, style)
        draw_caption(canvas, caption, style)
        self._opened(canvas).write(canvas)

    def close(self) -> None:
        if self._video is not None:
            self._video.release()

    def _opened(self, frame: NDArray[np.uint8]) -> cv2.VideoWriter:
        """Opened for the first frame, which tells the size."""
        if self._video is None:
            height, width = frame.shape[:2]
            encoder = cv2.VideoWriter.fourcc(*_ENCODERS[self._path.suffix.lower()])
            with _without_stderr():  # OpenCV finds fault with a tag that WebM has no use for
                self._video = cv2.VideoWriter(str(self._path), encoder, self._rate, (width, height))
            if not self._video.isOpened():
                raise OutputError(f"{self._path}: a video cannot be written there")
        return self._video


@contextmanager
def _without_stderr() -> Iterator[None]:
    """For a library in C that writes there whatever it is told."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
