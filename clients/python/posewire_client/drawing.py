"""Draw poses into images, with the person's left and right in different colours.

Needs OpenCV, which the rest of the client does not: import this module where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_client.pose import Origin, Pose
from posewire_client.skeleton import Skeleton

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]

# Blue, green, red.
_LEFT: Colour = (80, 200, 0)
_RIGHT: Colour = (0, 128, 255)
_MIDDLE: Colour = (255, 160, 60)
_OUTLINE: Colour = (25, 25, 25)
_TEXT: Colour = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SHADE = 0.45  # brightness of the image behind text
# Most keypoints below it are inferred by refine from faint heat and clutter an image.
_MIN_KEYPOINT_SCORE = 0.1


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels; keypoints below `min_keypoint_score` are not drawn."""

    line: int
    point: int
    text: float
    min_keypoint_score: float

    @classmethod
    def for_image(cls, image: Image, *, min_keypoint_score: float | None = None) -> Style:
        """Scale the sizes to the image."""
        side = max(image.shape[:2])
        return cls(
            line=max(2, round(side / 400)),
            point=max(3, round(side / 200)),
            text=max(0.35, side / 1600),
            min_keypoint_score=(
                _MIN_KEYPOINT_SCORE if min_keypoint_score is None else min_keypoint_score
            ),
        )


def draw_poses(image: Image, poses: Sequence[Pose], skeleton: Skeleton, style: Style) -> None:
    """Draw edges, keypoints and pose scores into a BGR image.

    A DETECTED keypoint is a filled disc, an INFERRED one is hollow. The best pose is drawn last.
    """
    colours = _keypoint_colours(skeleton)
    for pose in reversed(poses):
        shown = (pose.origins != Origin.ABSENT) & (pose.keypoint_scores >= style.min_keypoint_score)
        places = [(round(x), round(y)) for x, y in pose.keypoints.tolist()]
        _draw_edges(image, places, shown, skeleton, colours, style)
        for k in np.flatnonzero(shown).tolist():
            _draw_keypoint(image, places[k], colours[k], int(pose.origins[k]), style)
        if shown.any():
            _draw_score(image, pose, shown, style)


def draw_caption(image: Image, lines: Iterable[str], style: Style) -> None:
    """Draw ASCII text into the top left corner, on a darkened background."""
    top = 0
    for line in lines:
        top = _draw_text(image, line, (0, top), style)


def _keypoint_colours(skeleton: Skeleton) -> list[Colour]:
    colours = [_MIDDLE] * len(skeleton.keypoint_names)
    for left, right in skeleton.flip_pairs:
        colours[left], colours[right] = _LEFT, _RIGHT
    return colours


def _draw_edges(
    image: Image,
    places: Sequence[tuple[int, int]],
    shown: NDArray[np.bool_],
    skeleton: Skeleton,
    colours: Sequence[Colour],
    style: Style,
) -> None:
    """Draw all outlines first, so that none crosses a coloured line of the same person."""
    edges = [(a, b) for a, b in skeleton.edges if shown[a] and shown[b]]
    for a, b in edges:
        cv2.line(image, places[a], places[b], _OUTLINE, style.line + 2, cv2.LINE_AA)
    for a, b in edges:
        colour = colours[a] if colours[a] == colours[b] else _MIDDLE
        cv2.line(image, places[a], places[b], colour, style.line, cv2.LINE_AA)


def _draw_keypoint(
    image: Image, place: tuple[int, int], colour: Colour, origin: int, style: Style
) -> None:
    cv2.circle(image, place, style.point + 1, _OUTLINE, -1, cv2.LINE_AA)
    cv2.circle(image, place, style.point, colour, -1, cv2.LINE_AA)
    if origin == Origin.INFERRED:
        cv2.circle(image, place, style.point // 2, _OUTLINE, -1, cv2.LINE_AA)


def _draw_score(image: Image, pose: Pose, shown: NDArray[np.bool_], style: Style) -> None:
    """Draw the score above the highest keypoint drawn, inside the image."""
    x, y = pose.keypoints[shown][pose.keypoints[shown][:, 1].argmin()].tolist()
    text = f"{pose.score:.2f}"
    (width, height), below = cv2.getTextSize(text, _FONT, style.text, 1)
    left = min(max(round(x) - width // 2, 0), max(image.shape[1] - width, 0))
    top = max(round(y) - 3 * style.point - height - below, 0)
    _draw_text(image, text, (left, top), style)


def _draw_text(image: Image, text: str, corner: tuple[int, int], style: Style) -> int:
    """Draw one line and return the row below it."""
    (width, height), below = cv2.getTextSize(text, _FONT, style.text, 1)
    left, top = corner
    margin = max(2, height // 3)
    bottom = top + height + below + margin
    background = image[top:bottom, left : left + width + 2 * margin]
    background[:] = (background * _SHADE).astype(np.uint8)
    place = (left + margin, top + height + margin // 2)
    cv2.putText(image, text, place, _FONT, style.text, _TEXT, 1, cv2.LINE_AA)
    return bottom
