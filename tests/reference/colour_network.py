"""A network that finds people painted in colours: a keypoint is a blob of its own colour.

A person's brightness is their tag. So poses are known for images that go through everything real:
files, resizing, inference and decoding.
"""

from __future__ import annotations

from itertools import product
from math import gcd

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

KEYPOINT_COUNT = 17
# Directions in colour space at least 15 degrees apart (cosine 0.97): mixtures are no keypoint.
COLOURS = np.array([each for each in product(range(3), repeat=3) if gcd(*each) == 1], np.float32)[
    :KEYPOINT_COUNT
]
COLOURS /= np.linalg.norm(COLOURS, axis=1, keepdims=True)
LEAST_COSINE = 0.97
TAG_OF_WHITE = 5.0
# Keypoints lie in rows of five; nobody has to look like a person.
PLACES = np.array([(i % 5, i // 5) for i in range(KEYPOINT_COUNT)], np.float64)


def person_at(left: float, top: float, spacing: float) -> NDArray[np.float64]:
    """Keypoints (17, 2) as x, y in pixels of the frame."""
    return np.array([left, top]) + spacing * PLACES


def painted_frame(
    width: int,
    height: int,
    people: list[NDArray[np.float64]],
    *,
    sigma: float = 5.0,
    brightness: tuple[float, ...] = (1.0, 0.6, 0.8),
) -> NDArray[np.uint8]:
    """A BGR frame with a Gaussian blob at every keypoint, the centre of pixel i being at i."""
    x, y = np.arange(width), np.arange(height)
    frame = np.zeros((height, width, 3))
    for keypoints, bright in zip(people, brightness, strict=False):
        for (u, v), colour in zip(keypoints, COLOURS, strict=True):
            along_x = np.exp(-((x - u) ** 2) / (2 * sigma**2))
            along_y = 255 * bright * np.exp(-((y - v) ** 2) / (2 * sigma**2))
            np.maximum(frame, np.outer(along_y, along_x)[..., None] * colour, out=frame)
    return frame.round().astype(np.uint8)


def colour_network(*, least_cosine: float = LEAST_COSINE) -> ov.Model:
    """Takes what posewire's networks take, and puts a point x of its input at x / 2 - 0.5.

    That is what delta 0.5 undoes: cell i sees pixel 2 i + 1 only. Above 1, `least_cosine` makes
    it find nobody.
    """
    image = ops.parameter([1, -1, -1, 3], np.uint8, name="image")
    image.output(0).set_names({"image"})
    pixels = ops.convert(image, np.float32)
    seen = ops.slice(pixels, [0, 1, 1, 0], [1, 2**31, 2**31, 3], [1, 2, 2, 1])
    planes = ops.transpose(seen, ops.constant([0, 3, 1, 2]))
    brightness = ops.sqrt(ops.reduce_sum(ops.multiply(planes, planes), [1], keep_dims=True))
    kernel = ops.constant(COLOURS[:, :, None, None])
    directions = ops.divide(planes, ops.maximum(brightness, np.float32(1)))
    cosines = ops.convolution(directions, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    likeness = ops.relu(ops.subtract(cosines, np.float32(least_cosine)))
    scale = np.float32(1 / (1 - LEAST_COSINE) / 255)
    heat = ops.multiply(ops.multiply(likeness, brightness), scale)
    every_keypoint = ops.constant(
        np.full((1, KEYPOINT_COUNT, 1, 1), TAG_OF_WHITE / 255, np.float32)
    )
    return _with_outputs(image, heat, ops.multiply(brightness, every_keypoint))


def _with_outputs(image: ov.Node, heat: ov.Node, tags: ov.Node) -> ov.Model:
    """Suppresses non-maxima as the real networks do: by their sign."""
    highest = ops.max_pool(heat, [1, 1], [1, 1], [2, 2], [2, 2], [5, 5])
    is_peak = ops.convert(ops.equal(highest.output(0), heat), np.float32)
    sign = ops.subtract(ops.multiply(is_peak, np.float32(2)), np.float32(1))
    heatmaps = ops.multiply(heat, sign)
    heatmaps.output(0).set_names({"heatmaps"})
    tags.output(0).set_names({"embeddings"})
    return ov.Model([heatmaps, tags], [image], "colours")
