"""Trails: where tracked people were in the frames before."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from posewire_client.drawing.colours import OUTLINE, Colour, person_colour
from posewire_client.drawing.style import Floats, Image, Sizes
from posewire_client.pose import Origin, Pose
from posewire_client.skeleton import Skeleton

_HIPS = ("left_hip", "right_hip")
_SHIFT = 3  # OpenCV's points are in eighths of a pixel
_MIN_WIDTH = 2  # beside its outline, a thinner line looks black
_FARTHEST = 1e5  # pixels; OpenCV takes no larger points


@dataclass(frozen=True, slots=True)
class _Point:
    frame: int
    x: float
    y: float
    extent: float


class Trails:
    """Follows tracked people over the last `frames` frames of a video.

    A trail runs through the middle of the hips, or of the box where no hip is located. It bridges
    frames in which the person was not found. Poses without a track id have none.
    """

    def __init__(self, skeleton: Skeleton, frames: int) -> None:
        if frames < 1:
            raise ValueError(f"frames: got {frames}, want at least 1")
        names = enumerate(skeleton.keypoint_names)
        self._hips = [k for k, name in names if name in _HIPS]
        self._length = frames
        self._frame = 0
        self._trails: dict[int, deque[_Point]] = {}

    def add(self, poses: Sequence[Pose]) -> None:
        """Add the poses of the next frame, none if it has no result."""
        self._frame += 1
        for pose in poses:
            if pose.track_id is not None:
                trail = self._trails.setdefault(pose.track_id, deque(maxlen=self._length))
                trail.append(self._place(pose))
        for track_id, trail in [*self._trails.items()]:
            while trail and trail[0].frame <= self._frame - self._length:
                trail.popleft()
            if not trail:
                del self._trails[track_id]

    def draw(self, image: Image) -> None:
        """Draw the trails into a BGR image: thinner with age, in the colours of the tracks."""
        side = max(image.shape[:2])
        for track_id, trail in self._trails.items():
            if len(trail) > 1:
                extents = np.array([point.extent for point in trail])
                ages = np.array([self._frame - point.frame for point in trail])
                widths = Sizes.for_people(extents, side).line * (1 - ages / self._length)
                _draw_line(image, trail, widths, person_colour(track_id))

    def _place(self, pose: Pose) -> _Point:
        box = pose.box
        located = [k for k in self._hips if pose.origins[k] != Origin.ABSENT]
        if located:
            x, y = pose.keypoints[located].mean(axis=0, dtype=np.float64).tolist()
        else:
            x, y = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
        extent = max(box.x_max - box.x_min, box.y_max - box.y_min, 1.0)
        return _Point(self._frame, x, y, extent)


def _draw_line(image: Image, trail: deque[_Point], widths: Floats, colour: Colour) -> None:
    points = np.array([(point.x, point.y) for point in trail])
    corners = np.rint(np.clip(points, -_FARTHEST, _FARTHEST) * (1 << _SHIFT)).astype(int).tolist()
    thicknesses = np.maximum(np.rint(widths), _MIN_WIDTH).astype(int).tolist()
    for margin, shade in ((2, OUTLINE), (0, colour)):
        for start, end, width in zip(corners, corners[1:], thicknesses[1:], strict=False):
            cv2.line(image, start, end, shade, width + margin, cv2.LINE_AA, _SHIFT)
