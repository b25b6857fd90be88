"""Soft shadows on the ground, under people's feet."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer.body import Bone
from training.renderer.crowd import Shape
from training.renderer.placement import Placement

Floats = NDArray[np.float64]

_DARKEST = 0.42
_FLATNESS = 0.20
_BEYOND_FEET = 0.13  # body heights
_SOLE = 0.045  # below an ankle, in body heights


def cast_shadows(image: NDArray[np.uint8], shape: Shape, placement: Placement) -> None:
    """Darkens the ground below everybody's feet; call it before people are painted."""
    feet = placement.frame_from_view(shape.bones.origins[:, Bone.FOOT_L :, :2])
    middles = feet.mean(axis=1)
    spreads = np.abs(feet[:, 0, 0] - feet[:, 1, 0]) / 2 + _BEYOND_FEET * placement.scales
    grounds = feet[..., 1].max(axis=1) + _SOLE * placement.scales
    for middle, spread, ground in zip(
        middles[:, 0].tolist(), spreads.tolist(), grounds.tolist(), strict=True
    ):
        cast_shadow(image, middle, ground, spread)


def cast_shadow(image: NDArray[np.uint8], x: float, y: float, half_width: float) -> None:
    """Darkens the ground around a point, which may lie between pixels or outside the picture."""
    height, width = image.shape[:2]
    half_height = _FLATNESS * half_width
    left, right = max(0, int(x - half_width) - 1), min(width, int(x + half_width) + 3)
    top, bottom = max(0, int(y - half_height) - 1), min(height, int(y + half_height) + 3)
    if left >= right or top >= bottom:
        return
    shadow = _shadow()
    rows, columns = shadow.shape[:2]
    across, down = columns / (2 * half_width), rows / (2 * half_height)
    shadow_from_region = np.array(
        [
            [across, 0.0, (left - x + half_width) * across],
            [0.0, down, (top - y + half_height) * down],
        ]
    )
    brightness = cv2.warpAffine(
        shadow,
        shadow_from_region,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )
    region = image[top:bottom, left:right]
    image[top:bottom, left:right] = cv2.multiply(region, brightness, scale=1.0 / 255.0)


@cache
def _shadow() -> NDArray[np.uint8]:
    """(24, 64, 3): brightness from 255 at the rim down to the middle of a shadow."""
    y, x = np.mgrid[-1:1:24j, -1:1:64j]
    depth = np.clip(1.0 - np.hypot(x, y), 0.0, 1.0)
    smooth = depth * depth * (3.0 - 2.0 * depth)
    grey = np.rint(255.0 * (1.0 - _DARKEST * np.minimum(1.0, 1.6 * smooth)))
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)
