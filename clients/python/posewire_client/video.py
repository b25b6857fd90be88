"""Read the frames of a video with OpenCV, which is imported here: import this where it is used."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_client.errors import UnsuitableImageError


def video_frames(source: str) -> Generator[NDArray[np.uint8], None, None]:
    """Yield the frames (h, w, 3) in BGR order of a file or an address.

    Raises UnsuitableImageError if OpenCV cannot open it or finds no frame in it.
    """
    video = cv2.VideoCapture(source)
    try:
        if not video.isOpened():
            raise UnsuitableImageError(
                f"the video {_without_credentials(source)}: cannot be opened; expected one that "
                "OpenCV can read"
            )
        is_empty = True
        while (frame := video.read()[1]) is not None:
            is_empty = False
            yield frame.astype(np.uint8, copy=False)
        if is_empty:
            raise UnsuitableImageError(f"the video {_without_credentials(source)}: has no frames")
    finally:
        video.release()


def _without_credentials(source: str) -> str:
    scheme, separator, rest = source.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}" if scheme else source
