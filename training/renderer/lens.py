"""What a camera does to a scene: uneven exposure, blur, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lens:
    """Constant over a clip. `exposure` (height, width, 3) uint8 multiplies, 128 is 1; `blur` is a
    convolution kernel or None; `noise` is the largest deviation in grey levels."""

    exposure: Image
    blur: NDArray[np.float32] | None
    noise: float


def draw_lens(rng: np.random.Generator, width: int, height: int) -> Lens:
    """A camera for pictures of that size."""
    gain = np.exp(rng.normal(0.0, 0.12))
    corners = 128.0 * gain * (1.0 + rng.uniform(-1, 1, (4, 4, 1)) * rng.uniform(0.0, 0.22))
    corners = corners * (1.0 + rng.uniform(-0.06, 0.06, 3))
    small = np.clip(corners, 40, 250).astype(np.uint8)
    exposure = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return Lens(
        exposure=np.asarray(exposure, dtype=np.uint8),
        blur=_draw_blur(rng),
        noise=float(rng.uniform(0.0, 22.0) * rng.random()),
    )


def _draw_blur(rng: np.random.Generator) -> NDArray[np.float32] | None:
    chance = rng.random()
    if chance < 0.70:
        return None
    if chance < 0.92:
        row = cv2.getGaussianKernel(5, rng.uniform(0.5, 1.2))
        return np.asarray(row @ row.T, dtype=np.float32)
    kernel = np.zeros((7, 7), dtype=np.float32)
    angle, length = rng.uniform(0, np.pi), rng.uniform(1.0, 3.0)
    for step in np.linspace(-length, length, 13):
        kernel[round(3 + step * np.sin(angle)), round(3 + step * np.cos(angle))] += 1.0
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def expose(image: Image, lens: Lens, rng: np.random.Generator) -> Image:
    """The picture as the camera gives it; `rng` makes the noise of this one frame."""
    lit = cv2.multiply(image, lens.exposure, scale=1.0 / 128.0)
    if lens.blur is not None:
        lit = cv2.filter2D(lit, -1, lens.blur)
    if lens.noise > 1.0:
        lit = _add_noise(lit, lens.noise, rng)
    return np.asarray(lit, dtype=np.uint8)


def _add_noise(image: cv2.typing.MatLike, noise: float, rng: np.random.Generator) -> Image:
    even = np.frombuffer(rng.bytes(image.size), np.uint8).reshape(image.shape)
    strength = noise / 128.0
    return np.asarray(
        cv2.addWeighted(image, 1.0, even, strength, -127.5 * strength), dtype=np.uint8
    )
