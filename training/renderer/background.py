"""What is behind the people of a still."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer import clutter
from training.renderer.canvas import fill

Image = NDArray[np.uint8]

_MOST_THINGS = 16


def draw_background(rng: np.random.Generator, width: int, height: int) -> Image:
    """A (height, width, 3) picture without people, sharp or blurred."""
    image = _GROUNDS[int(rng.integers(len(_GROUNDS)))](rng, width, height)
    if rng.random() < 0.45:
        image = _texture(rng, image)
    _scatter(rng, image)
    if rng.random() < 0.35:
        blur = int(rng.integers(1, 4)) * 2 + 1
        image = np.asarray(cv2.blur(image, (blur, blur)), dtype=np.uint8)
    return image


def _colours(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    return np.array([clutter.draw_colour(rng) for _ in range(count)], dtype=np.uint8)


def _flat(rng: np.random.Generator, width: int, height: int) -> Image:
    return np.full((height, width, 3), _colours(rng, 1)[0], dtype=np.uint8)


def _gradient(rng: np.random.Generator, width: int, height: int) -> Image:
    return _stretch(_colours(rng, 4).reshape(2, 2, 3), width, height)


def _clouds(rng: np.random.Generator, width: int, height: int) -> Image:
    cells = int(rng.integers(3, 14))
    contrast = rng.uniform(10, 70)
    base = _colours(rng, 1)[0].astype(np.float64)
    grey = rng.standard_normal((cells, cells, 1)) * contrast
    tint = rng.standard_normal((cells, cells, 3)) * contrast * 0.4
    return _stretch(np.clip(base + grey + tint, 0, 255).astype(np.uint8), width, height)


def _landscape(rng: np.random.Generator, width: int, height: int) -> Image:
    image = _gradient(rng, width, height)
    ground = round(height * rng.uniform(0.35, 0.9))
    near, far = _colours(rng, 2)
    image[ground:] = _stretch(np.array([[far], [near]]), width, height - ground)
    return image


def _room(rng: np.random.Generator, width: int, height: int) -> Image:
    image = _landscape(rng, width, height)
    corner = int(rng.integers(width))
    ground = int(height * rng.uniform(0.55, 0.85))
    image[:ground, :corner] = _colours(rng, 1)[0]
    return image


def _stripes(rng: np.random.Generator, width: int, height: int) -> Image:
    rows, columns = (int(n) for n in rng.integers(1, 16, 2))
    if rng.random() < 0.5:
        rows = 1
    even = (np.add.outer(np.arange(rows), np.arange(columns)) % 2 == 0)[..., None]
    first, second = _colours(rng, 2).astype(np.float64)
    second = first + (second - first) * rng.uniform(0.1, 0.8)
    board = np.where(even, first, second).astype(np.uint8)
    return np.asarray(
        cv2.resize(board, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8
    )


_Ground = Callable[[np.random.Generator, int, int], Image]
_GROUNDS: tuple[_Ground, ...] = (
    _flat,
    _gradient,
    _gradient,
    _clouds,
    _clouds,
    _landscape,
    _landscape,
    _room,
    _room,
    _stripes,
)


def _stretch(small: NDArray[np.uint8], width: int, height: int) -> Image:
    if small.shape[0] * small.shape[1] == 1:
        return np.full((height, width, 3), small[0, 0], dtype=np.uint8)
    return np.asarray(
        cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )


def _texture(rng: np.random.Generator, image: Image) -> Image:
    """Adds a grain of one size, from sand to foliage."""
    height, width = image.shape[:2]
    grain = int(rng.integers(2, 12))
    shape = (height // grain + 1, width // grain + 1, 3)
    speckles = np.frombuffer(rng.bytes(shape[0] * shape[1] * 3), np.uint8).reshape(shape)
    strength = rng.uniform(0.04, 0.25)
    spread = cv2.resize(speckles, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(
        cv2.addWeighted(image, 1.0, spread, strength, -127.0 * strength), dtype=np.uint8
    )


def _scatter(rng: np.random.Generator, image: Image) -> None:
    """Puts up to sixteen things anywhere, some of them like limbs and heads."""
    height, width = image.shape[:2]
    count = int(rng.integers(_MOST_THINGS + 1) * rng.random())
    if count == 0:
        return
    kinds = rng.integers(len(clutter.KINDS), size=count)
    centres = rng.uniform(0.0, 1.0, (count, 2)) * np.array([width, height])
    sizes = min(width, height) * 0.03 * np.exp(rng.uniform(0.0, 2.2, count))
    polygons = clutter.draw_polygons(rng, kinds, centres, sizes)
    shaded = rng.random(count) < 0.6
    for thing in range(count):
        colour = clutter.draw_colour(rng)
        fill(image, polygons[thing, 0], colour)
        if shaded[thing]:
            blue, green, red = (min(255, value * 5 // 4 + 6) for value in colour)
            fill(image, polygons[thing, 1], (blue, green, red))
