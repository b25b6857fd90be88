"""Writes annotated frames as a video."""

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
from posewire_cli.output.drawn_frames import DrawnFrames

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
    """Writes what `frames` draws, in the format of the suffix: .mp4, .avi or .webm.

    Raises `OutputError` for a file that cannot be written.
    """

    def __init__(self, path: Path, frames: DrawnFrames, *, rate: float) -> None:
        check_suffix(path)
        self._path = path
        self._frames = frames
        self._rate = rate
        self._video: cv2.VideoWriter | None = None

    def write(self, image: AnsweredImage) -> None:
        canvas = self._frames.draw(image)
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
