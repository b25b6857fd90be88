"""Two decoders' answers, compared to the last bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from posewire_decoder import Poses


def assert_identical(actual: Poses, expected: Poses) -> None:
    """Raises AssertionError naming the first array whose shape, type or values differ."""
    for field in fields(Poses):
        one, other = getattr(actual, field.name), getattr(expected, field.name)
        np.testing.assert_array_equal(one, other, err_msg=field.name, strict=True)


def subset(poses: Poses, indices: list[int]) -> Poses:
    """These poses alone, in this order."""
    return Poses(*(getattr(poses, field.name)[indices] for field in fields(Poses)))
