"""Text in images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2

from posewire_client.drawing.colours import WHITE, Colour
from posewire_client.drawing.style import Image, min_digits

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SHADE = 0.4  # brightness of the image behind a caption
_DIGITS_AT_SCALE_1 = 21.0  # their height in pixels, in OpenCV 4 and 5
_MIN_SCALE = 0.3  # below it nobody can read

Box = tuple[int, int, int, int]  # left, top, right, bottom; the last two excluded


@lru_cache(maxsize=1024)
def text_size(text: str, digits: float) -> tuple[int, int, int]:
    """Return width, height above and depth below the baseline, for digits of this height."""
    scale, thickness = _font(digits)
    (width, _), depth = cv2.getTextSize(text, _FONT, scale, thickness)
    return width, round(scale * _DIGITS_AT_SCALE_1), max(depth, round(0.28 * digits))


def put_text(
    image: Image, text: str, left: int, baseline: int, digits: float, colour: Colour
) -> None:
    scale, thickness = _font(digits)
    cv2.putText(image, text, (left, baseline), _FONT, scale, colour, thickness, cv2.LINE_AA)


def draw_caption(image: Image, lines: Sequence[str]) -> list[Box]:
    """Draw lines from the top left corner on, on a darkened background, and return their boxes.

    A line that is too long is made smaller, down to what can be read, then cut.
    """
    boxes: list[Box] = []
    top = 0
    height, width = image.shape[:2]
    wanted = 1.15 * min_digits(max(width, height))
    for line in lines:
        plain = line.encode("ascii", "replace").decode()
        needed, _, _ = text_size(plain, wanted)
        digits = wanted * min(1.0, (width - wanted) / max(needed, 1))
        needed, above, below = text_size(plain, digits)
        margin = max(2, round(0.4 * digits))
        bottom = min(top + above + below + margin, height)
        right = min(needed + 2 * margin, width)
        if bottom <= top or right <= 0:
            break
        background = image[top:bottom, :right]
        background[:] = cv2.convertScaleAbs(background, alpha=_SHADE)
        put_text(image, plain, margin, top + (margin + 1) // 2 + above, digits, WHITE)
        boxes.append((0, top, right, bottom))
        top = bottom
    return boxes


def _font(digits: float) -> tuple[float, int]:
    """Return scale and thickness. OpenCV 5 sets letters too close at some scales between these."""
    scale = max(_MIN_SCALE, round(digits / _DIGITS_AT_SCALE_1, 1))
    return scale, max(1, round(1.3 * scale))
