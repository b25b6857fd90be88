"""Reads off the map of parts who is to be seen, and which of their keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.renderer import keypoints
from training.renderer.canvas import map_value, people_of
from training.renderer.crowd import Shape
from training.renderer.placement import Placement
from training.renderer.scene import Person

Floats = NDArray[np.float64]

NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2

# Of a person of whom less is to be seen nobody could tell the pose.
_FEWEST_PIXELS = 40
_FEWEST_VISIBLE_KEYPOINTS = 3

# A keypoint hidden by somebody else is labelled if some of its own person is this near, in body
# heights: the place can then be told from what is seen around it.
_GUESSABLE = 0.06

_SHOWING = [
    [frozenset(map_value(person, part) for part in parts) for parts in keypoints.SHOWN_BY]
    for person in range(8)
]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A person, whether or not enough of them is to be seen to be called so."""

    person: Person
    is_recognisable: bool


def sight(truth: NDArray[np.uint16], shape: Shape, placement: Placement) -> list[Sighting]:
    """What the map shows of each of P people; `identity` is their number in the crowd."""
    view = keypoints.place_keypoints(shape.bones, shape.flesh)
    in_frame = placement.frame_from_view(view[..., :2])
    facing = keypoints.facing(shape.bones).tolist()
    behind = keypoints.behind_trunk(shape.bones).tolist()
    owners = people_of(truth)
    sightings = []
    for identity in range(len(view)):
        visibility = _visibilities(
            truth,
            owners,
            identity,
            in_frame[identity],
            facing[identity],
            behind[identity],
            reach=_GUESSABLE * float(placement.scales[identity]),
        )
        mine = (owners == identity + 1).view(np.uint8)
        area = cv2.countNonZero(mine)
        x, y, width, height = cv2.boundingRect(mine)
        sightings.append(
            Sighting(
                person=Person(
                    identity=identity,
                    keypoints=in_frame[identity],
                    visibility=visibility,
                    box=(float(x), float(y), float(width), float(height)),
                    visible_area=float(area),
                ),
                is_recognisable=area >= _FEWEST_PIXELS
                and int((visibility == VISIBLE).sum()) >= _FEWEST_VISIBLE_KEYPOINTS,
            )
        )
    return sightings


def _visibilities(
    truth: NDArray[np.uint16],
    owners: NDArray[np.uint16],
    identity: int,
    in_frame: Floats,
    facing: list[bool],
    behind: list[bool],
    *,
    reach: float,
) -> NDArray[np.uint8]:
    height, width = truth.shape
    visibility = np.zeros(len(in_frame), dtype=np.uint8)
    pixels = np.rint(in_frame).astype(int).tolist()
    for keypoint, (x, y) in enumerate(pixels):
        if not (0 <= x < width and 0 <= y < height and facing[keypoint]):
            continue
        shown = int(truth[y, x])
        if shown in _SHOWING[identity][keypoint] and not behind[keypoint]:
            visibility[keypoint] = VISIBLE
        elif int(owners[y, x]) == identity + 1 or _is_near(owners, identity, x, y, round(reach)):
            visibility[keypoint] = HIDDEN
    return visibility


def _is_near(owners: NDArray[np.uint16], identity: int, x: int, y: int, reach: int) -> bool:
    around = owners[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
    return bool((around == identity + 1).any())
