"""Colours of limbs and people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire_client.drawing.style import ColorBy
from posewire_client.pose import Origin, Pose
from posewire_client.skeleton import Skeleton

Colour = tuple[int, int, int]  # blue, green, red

OUTLINE: Colour = (25, 25, 25)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
_NEUTRAL: Colour = (150, 150, 150)
_LEFT: Colour = (80, 200, 0)
_RIGHT: Colour = (0, 128, 255)
_MIDDLE: Colour = (255, 160, 60)

# Bright enough for a dark outline, and neighbours in the list far apart in hue.
_PEOPLE: tuple[Colour, ...] = (
    (92, 92, 255),  # red
    (255, 168, 46),  # blue
    (41, 208, 255),  # yellow
    (132, 220, 61),  # green
    (255, 125, 199),  # violet
    (49, 147, 255),  # orange
    (224, 224, 47),  # cyan
    (200, 122, 255),  # pink
    (46, 230, 184),  # lime
    (255, 155, 140),  # periwinkle
    (138, 181, 227),  # sand
    (244, 244, 244),  # white
)
# Keypoints of one person in two frames are about this far apart, as a part of the person's extent.
_MOTION = 0.15
# The similarity of poses, from 0 to 1, from which they can be the same person.
_MIN_SIMILARITY = 0.2
# A person that is not found for longer loses the colour.
_MAX_UNSEEN_FRAMES = 15


def person_colour(number: int | None) -> Colour:
    """Return one of a dozen colours, or grey for None."""
    return _NEUTRAL if number is None else _PEOPLE[number % len(_PEOPLE)]


def keypoint_colours(skeleton: Skeleton) -> list[Colour]:
    """Return the colour of the side that each keypoint is on."""
    colours = [_MIDDLE] * len(skeleton.keypoint_names)
    for left, right in skeleton.flip_pairs:
        colours[left], colours[right] = _LEFT, _RIGHT
    return colours


def edge_colour(first: Colour, second: Colour) -> Colour:
    """Return the colour of an edge between keypoints of these colours."""
    return first if first == second else _MIDDLE


def text_colours(color_by: ColorBy, number: int | None) -> tuple[Colour, Colour]:
    """Return the colours of text and background for a person."""
    background = person_colour(number) if color_by == "person" else OUTLINE
    blue, green, red = background
    is_bright = 0.114 * blue + 0.587 * green + 0.299 * red > 140
    return (BLACK if is_bright else WHITE), background


class PersonColours:
    """Numbers people over the frames of a video, so that each keeps a colour.

    The number of a tracked pose is its track id. Others are matched with the frames before by their
    keypoints; a new person gets the lowest number that is free.
    """

    def __init__(self) -> None:
        self._poses: list[Pose] = []
        self._numbers: list[int] = []
        self._unseen: list[int] = []

    def assign(self, poses: Sequence[Pose]) -> list[int]:
        """Return the number of each pose of the next frame."""
        numbers = [pose.track_id for pose in poses]
        matched: set[int] = set()
        for i, known in _pairs(poses, self._poses):
            if numbers[i] is None and known not in matched:
                numbers[i] = self._numbers[known]
                matched.add(known)
        taken = {*self._numbers, *(each for each in numbers if each is not None)}
        assigned = [_lowest_free(taken) if each is None else each for each in numbers]
        self._remember(poses, assigned)
        return assigned

    def _remember(self, poses: Sequence[Pose], numbers: Sequence[int]) -> None:
        kept = [
            i
            for i, number in enumerate(self._numbers)
            if number not in numbers and self._unseen[i] < _MAX_UNSEEN_FRAMES
        ]
        self._poses = [*poses, *(self._poses[i] for i in kept)]
        self._numbers = [*numbers, *(self._numbers[i] for i in kept)]
        self._unseen = [0] * len(poses) + [self._unseen[i] + 1 for i in kept]


def _pairs(poses: Sequence[Pose], known: Sequence[Pose]) -> list[tuple[int, int]]:
    """Return pairs that are similar enough, the most similar first."""
    if not poses or not known:
        return []
    similarity = np.stack([_similarity(pose, known) for pose in poses])
    pairs = np.argwhere(similarity >= _MIN_SIMILARITY)
    order = np.argsort(-similarity[pairs[:, 0], pairs[:, 1]], kind="stable")
    return [(i, j) for i, j in pairs[order].tolist()]


def _similarity(pose: Pose, known: Sequence[Pose]) -> NDArray[np.float64]:
    """Return from 0 to 1 how similar a pose is to others (M,): how close their keypoints are."""
    box = pose.box
    extent = max(box.x_max - box.x_min, box.y_max - box.y_min, 1.0)
    has = pose.origins != Origin.ABSENT
    known_has = np.stack([each.origins for each in known]) != Origin.ABSENT
    apart = (np.stack([each.keypoints for each in known]) - pose.keypoints) / (_MOTION * extent)
    close = np.exp(-np.square(apart.astype(np.float64)).sum(axis=2)) * (has & known_has)
    similarity: NDArray[np.float64] = close.sum(axis=1) / np.maximum(
        (has | known_has).sum(axis=1), 1
    )
    return similarity


def _lowest_free(taken: set[int]) -> int:
    """Take and return the lowest number that is free."""
    number = next(i for i in range(len(taken) + 1) if i not in taken)
    taken.add(number)
    return number
