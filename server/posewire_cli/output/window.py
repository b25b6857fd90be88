"""Shows annotated images and frames in a window."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.writing import StopWriting
from posewire_client import Result

_TITLE = "posewire"
_KEYS_TO_STOP = (ord("q"), 27)  # Esc
_MAX_SIZE = (1600, 900)  # larger images are shown reduced
_POLL_MILLIS = 50


def check_can_show() -> None:
    """Raise `OutputError` unless a window can be opened."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        raise OutputError(
            "--show: no display, as DISPLAY and WAYLAND_DISPLAY are not set; want a desktop, or "
            "--save, which writes files"
        )
    try:
        cv2.namedWindow(_TITLE)
        cv2.destroyWindow(_TITLE)
    except cv2.error:
        raise OutputError(
            "--show: this OpenCV opens no windows; run: pip uninstall opencv-python-headless && "
            "pip install opencv-python, or use --save, which writes files"
        ) from None


class Window:
    """Shows what `draw` makes of each image.

    Q, Esc and closing the window stop the command; with `waits`, another key shows the next image.
    """

    def __init__(self, draw: Callable[[AnsweredImage], NDArray[np.uint8]], *, waits: bool) -> None:
        self._draw = draw
        self._waits = waits
        self._is_open = False

    def write(self, image: AnsweredImage) -> None:
        if self._waits and not isinstance(image.outcome, Result):
            return
        canvas = self._draw(image)
        self._open(canvas)
        cv2.imshow(_TITLE, canvas)
        key = cv2.waitKey(_POLL_MILLIS if self._waits else 1)
        while self._waits and key == -1 and self._is_visible():
            key = cv2.waitKey(_POLL_MILLIS)
        if key in _KEYS_TO_STOP or not self._is_visible():
            raise StopWriting

    def close(self) -> None:
        if self._is_open:
            cv2.destroyAllWindows()

    def _open(self, canvas: NDArray[np.uint8]) -> None:
        """Open the window at the first image, small enough for a screen."""
        if not self._is_open:
            height, width = canvas.shape[:2]
            scale = min(1.0, _MAX_SIZE[0] / width, _MAX_SIZE[1] / height)
            cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
            cv2.resizeWindow(_TITLE, round(width * scale), round(height * scale))
            self._is_open = True

    def _is_visible(self) -> bool:
        return cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) >= 1
