"""The place of a clip: sky, houses and trees far away, and a ground to walk on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.canvas import draw_line, fill, fixed_point
from training.renderer.light import Colour
from training.renderer.outline import hull_outlines

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

_SKIES = (((232, 206, 170), (245, 236, 222)), ((214, 205, 196), (232, 230, 226)))
_GROUNDS = (((176, 192, 196), (150, 168, 176)), ((150, 186, 160), (112, 156, 126)))
_HOUSES = ((186, 200, 216), (170, 182, 206), (204, 206, 204), (178, 196, 190), (190, 184, 176))
_LEAVES = ((118, 152, 112), (104, 140, 120), (132, 160, 118))


def paint_backdrop(rng: np.random.Generator, width: int, height: int, horizon: float) -> Image:
    """A (height, width, 3) picture of pale colours, against which people stand out."""
    image = np.empty((height, width, 3), dtype=np.uint8)
    # Houses stand behind the ground's far edge, a little below the true horizon.
    edge = round(horizon + 0.30 * height)
    sky = _SKIES[int(rng.integers(len(_SKIES)))]
    ground = _GROUNDS[int(rng.integers(len(_GROUNDS)))]
    image[:edge] = _blend(*sky, edge)
    image[edge:] = _blend(*ground, height - edge)
    _build_houses(rng, image, edge)
    _plant_trees(rng, image, edge)
    _pave(image, edge, horizon, ground[1])
    return image


def _blend(top: Colour, bottom: Colour, rows: int) -> NDArray[np.uint8]:
    share = np.linspace(0.0, 1.0, rows)[:, None, None]
    return np.asarray(np.array(top) * (1.0 - share) + np.array(bottom) * share, dtype=np.uint8)


def _build_houses(rng: np.random.Generator, image: Image, edge: int) -> None:
    width = image.shape[1]
    left = -rng.uniform(0.0, 0.1) * width
    while left < width:
        right = left + rng.uniform(0.10, 0.22) * width
        roof = edge * rng.uniform(0.25, 0.75)
        colour = _HOUSES[int(rng.integers(len(_HOUSES)))]
        if rng.random() < 0.75:
            _fill_box(image, (left, roof, right, edge), colour)
            _set_windows(image, (left, roof, right, edge), colour)
        left = right + rng.choice([0.0, 0.0, 0.06]) * width


def _set_windows(image: Image, house: tuple[float, float, float, float], wall: Colour) -> None:
    left, top, right, bottom = house
    size = 0.032 * image.shape[1]
    columns, rows = int((right - left) / (1.9 * size)), int((bottom - top) / (2.1 * size))
    glass = tuple(int(0.88 * channel) for channel in wall)
    for column in range(columns):
        for row in range(rows):
            x = left + (right - left) * (column + 0.5) / columns
            y = top + (bottom - top) * (row + 0.5) / rows
            box = (x - 0.4 * size, y - 0.5 * size, x + 0.4 * size, y + 0.5 * size)
            _fill_box(image, box, (glass[0], glass[1], glass[2]))


def _plant_trees(rng: np.random.Generator, image: Image, edge: int) -> None:
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(2, 6))):
        x, size = rng.uniform(0.0, 1.0) * width, rng.uniform(0.05, 0.09) * height
        _fill_box(image, (x - 0.15 * size, edge - 2 * size, x + 0.15 * size, edge), (120, 138, 152))
        leaves = np.array(_LEAVES[int(rng.integers(len(_LEAVES)))])
        crown = np.array([[-0.6, -2.0], [0.6, -2.0], [0.0, -3.0], [0.0, -1.8]]) * size
        outlines = hull_outlines(
            crown + np.array([x, edge]), np.full(4, 0.75 * size), np.array([-0.5, -0.8])
        )
        for step, outline in enumerate(fixed_point(outlines)):
            blue, green, red = (leaves * (1.0 + 0.10 * step)).astype(int).tolist()
            fill(image, outline, (blue, green, red))


def _pave(image: Image, edge: int, horizon: float, colour: Colour) -> None:
    """Joints between slabs that run to the vanishing point, and across ever closer."""
    height, width = image.shape[:2]
    joint = (int(0.94 * colour[0]), int(0.94 * colour[1]), int(0.94 * colour[2]))
    vanishing = np.array([0.5 * width, horizon])
    for share in np.linspace(-2.5, 3.5, 25):
        near = np.array([share * width, float(height)])
        far = vanishing + (near - vanishing) * (edge - horizon) / (height - horizon)
        draw_line(image, fixed_point(np.stack((far, near))), joint)
    for distance in np.geomspace(1.0, (height - horizon) / (edge - horizon), 9)[1:-1]:
        y = horizon + (height - horizon) / distance
        draw_line(image, fixed_point(np.array([[0.0, y], [width, y]])), joint)


def _fill_box(image: Image, box: tuple[float, float, float, float], colour: Colour) -> None:
    left, top, right, bottom = box
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    fill(image, fixed_point(corners), colour)
