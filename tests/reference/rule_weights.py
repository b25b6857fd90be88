"""Reproducible weights for HigherHRNet, so that the output of a known network can be stored."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire_server.models.higher_hrnet.architecture import Architecture
from posewire_server.models.higher_hrnet.state_dict_layout import wanted_shapes

Shape = tuple[int, ...]

_LAYOUT = Path(__file__).parent.parent / "golden/w32_state_dict.tsv"
_TRANSPOSED = "deconv_layers.0.0.0.weight"


def official_shapes() -> dict[str, Shape]:
    """Return the 1810 names and shapes of the official W32's state dict, in its order."""
    rows = (line.split("\t") for line in _LAYOUT.read_text().splitlines())
    return {
        name: () if shape == "scalar" else tuple(map(int, shape.split("x")))
        for name, shape, _ in rows
    }


def shapes_of_width(width: int) -> dict[str, Shape]:
    return wanted_shapes(Architecture.of(width, keypoints=17))


def rule_weights(
    shapes: Iterable[tuple[str, Shape]], *, seed: int = 1001
) -> dict[str, NDArray[np.float32]]:
    """Draw the tensor of each name, seeded by its position.

    The scales keep features through all layers where float32 tells a mistake from rounding.
    """
    return {
        name: _values(name, shape, np.random.default_rng([seed, place])).astype(np.float32)
        for place, (name, shape) in enumerate(shapes)
    }


def _values(name: str, shape: Shape, rng: np.random.Generator) -> NDArray[np.float64]:
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape)
    if name.endswith("running_var"):
        return rng.uniform(0.6, 1.4, shape)
    if name.endswith(("running_mean", "bias")):
        return rng.uniform(-0.1, 0.1, shape)
    if len(shape) == 4:
        fan = shape[0] * 4 if name == _TRANSPOSED else math.prod(shape[1:])
        return rng.uniform(-1, 1, shape) * math.sqrt(3 / fan)
    return rng.uniform(0.5, 0.8, shape)
