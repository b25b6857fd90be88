"""Labels beside people, inside the image and not over each other where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from posewire_client.drawing.colours import Colour
from posewire_client.drawing.figures import Figures
from posewire_client.drawing.style import Floats, Image
from posewire_client.drawing.text import Box, put_text, text_size

# Costs of a place: to cover a label, a keypoint of anybody, and to be a later choice.
_LABEL_COST = 100.0
_KEYPOINT_COST = 1.0
_CHOICE_COST = 0.3


@dataclass(frozen=True, slots=True)
class Label:
    """The text for person `n`; `digits` is the height of its digits."""

    n: int
    text: str
    digits: float
    colour: Colour
    background: Colour

    @property
    def margin(self) -> int:
        return max(2, round(0.35 * self.digits))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, with margins."""
        width, above, _ = text_size(self.text, self.digits)
        return width + 2 * self.margin, above + 2 * self.margin


def place_labels(
    labels: Sequence[Label], figures: Figures, image_size: tuple[int, int], taken: Sequence[Box]
) -> list[tuple[int, int]]:
    """Return the top left corner of each label. The first choose first.

    `taken`: boxes to keep free. A label that is larger than the image starts in its corner.
    """
    if not labels:
        return []
    places = _places(labels, figures, image_size)
    costs = _KEYPOINT_COST * _count_inside(places, figures.points[figures.shown])
    costs += _CHOICE_COST * np.arange(places.shape[1])
    boxes = np.zeros((len(taken) + len(labels), 4))
    boxes[: len(taken)] = np.array(taken).reshape(-1, 4)
    for i, count in enumerate(range(len(taken), len(boxes))):
        overlaps = _overlaps(places[i], boxes[:count])
        boxes[count] = places[i, (costs[i] + _LABEL_COST * overlaps).argmin()]
    return [(int(left), int(top)) for left, top in boxes[len(taken) :, :2]]


def draw_label(image: Image, label: Label, corner: tuple[int, int]) -> None:
    (left, top), (width, height) = corner, label.size
    end = left + width - 1, top + height - 1
    cv2.rectangle(image, corner, end, label.background, cv2.FILLED)
    baseline = top + height - label.margin
    put_text(image, label.text, left + label.margin, baseline, label.digits, label.colour)


def _places(labels: Sequence[Label], figures: Figures, image_size: tuple[int, int]) -> Floats:
    """Return boxes (L, P, 4) around and in each person, the best first."""
    people = [label.n for label in labels]
    left, top, right, bottom = figures.boxes[people].T
    width, height = np.array([label.size for label in labels], np.float64).T
    gap = (figures.sizes.point + figures.sizes.outline)[people] + 1
    middle = 0.5 * (left + right - width)
    above, below = top - gap - height, bottom + gap
    over_head = above - 0.05 * (bottom - top)  # keypoints end at the eyes
    before, after = left - gap - width, right + gap
    heights = (top, 0.5 * (top + bottom - height), bottom - height)
    columns = [
        (middle, over_head),
        (left, above),
        (right - width, above),
        *((x, y) for y in heights for x in (after, before)),
        (middle, below),
        (left, below),
        (right - width, below),
        *((middle, y) for y in heights),
        (before, above),
        (after, above),
        (middle, above - height - gap),
        (middle, below + height + gap),
    ]
    corners = np.stack([np.stack(column, axis=1) for column in columns], axis=1)
    sizes = np.stack([width, height], axis=1)[:, None]
    starts = np.rint(np.clip(corners, 0, np.maximum(np.array(image_size) - sizes, 0)))
    return np.concatenate([starts, starts + sizes], axis=2)


def _count_inside(places: Floats, points: Floats) -> Floats:
    """Return the number (L, P) of points in each place."""
    left, top, right, bottom = (places[..., i, None] for i in range(4))
    x, y = points.T
    inside = (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    counts: Floats = inside.sum(axis=2).astype(np.float64)
    return counts


def _overlaps(places: Floats, boxes: Floats) -> Floats:
    """Return the part (P,) of each place that boxes (B, 4) cover, more than 1 if they overlap."""
    left, top, right, bottom = places.T[..., None]
    widths = np.minimum(right, boxes[:, 2]) - np.maximum(left, boxes[:, 0])
    heights = np.minimum(bottom, boxes[:, 3]) - np.maximum(top, boxes[:, 1])
    shared = np.maximum(widths, 0) * np.maximum(heights, 0)
    covered: Floats = (shared / ((right - left) * (bottom - top))).sum(axis=1)
    return covered
