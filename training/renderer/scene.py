"""What a rendered picture shows, and the truth about the people in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Person:
    """One person's truth, in frame space: the centre of the top-left pixel is (0, 0).

    `identity` is constant over a clip, and the index among the people of a still. `keypoints` is
    (17, 2), x and y in pixels in COCO's order, finite for hidden keypoints too. `visibility` is
    (17,): 0 not labelled, 1 labelled but hidden, 2 visible. `box` is x, y, width and height of the
    person's visible pixels, `visible_area` their number.
    """

    identity: int
    keypoints: NDArray[np.float64]
    visibility: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    visible_area: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, (height, width, 3) BGR, and the people of whom enough is to be seen."""

    image: NDArray[np.uint8]
    people: tuple[Person, ...]
