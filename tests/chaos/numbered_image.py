"""Images of which the answer shows the number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire_client import Outcome, Result
from tests.reference.stub_server import PEOPLE

_SIZES = 8


def numbered_image(number: int) -> NDArray[np.uint8]:
    """Return a grey image whose size depends on the number, with one aspect for all."""
    return np.full((*_shape(number), 3), 7, np.uint8)


def is_result_of(outcome: Outcome, number: int) -> bool:
    """Return whether it is what the stub network sees in the image of that number."""
    return (
        isinstance(outcome, Result)
        and (outcome.image_height, outcome.image_width) == _shape(number)
        and len(outcome.poses) == PEOPLE
    )


def _shape(number: int) -> tuple[int, int]:
    step = number % _SIZES
    return 48 + 3 * step, 64 + 4 * step
