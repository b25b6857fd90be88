"""The region of an image to search for people."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import NoReturn

from posewire.v1 import pose_pb2
from posewire_server.errors import Violation
from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidRegionError

_FIELD = "options.region_of_interest"


@dataclass(frozen=True, slots=True)
class PixelBox:
    """A rectangle of whole pixels; at least one."""

    left: int
    top: int
    width: int
    height: int

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)


@dataclass(frozen=True, slots=True)
class RegionOfInterest:
    """A box in frame space, as given in a request."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    def within(self, frame: Size) -> PixelBox:
        """Return the frame's pixels whose centres lie inside the box or on its edge.

        Raises `InvalidRegionError` if there are none.
        """
        left, right = max(0, math.ceil(self.x_min)), min(frame.width - 1, math.floor(self.x_max))
        top, bottom = max(0, math.ceil(self.y_min)), min(frame.height - 1, math.floor(self.y_max))
        if left > right or top > bottom:
            _refuse(
                _FIELD,
                f"x from {self.x_min:g} to {self.x_max:g}, y from {self.y_min:g} to {self.y_max:g}",
                f"a box around at least one pixel of the image of {frame.width}x{frame.height}",
            )
        return PixelBox(left, top, right - left + 1, bottom - top + 1)


def region_from_proto(box: pose_pb2.Box) -> RegionOfInterest:
    """Validate a box; raises `InvalidRegionError` unless it is finite and min <= max."""
    region = RegionOfInterest(box.x_min, box.y_min, box.x_max, box.y_max)
    for side, value in asdict(region).items():
        if not math.isfinite(value):
            _refuse(f"{_FIELD}.{side}", f"{value:g}", "a finite number")
    if region.x_max < region.x_min:
        _refuse(f"{_FIELD}.x_max", f"{region.x_max:g}", f"at least x_min, {region.x_min:g}")
    if region.y_max < region.y_min:
        _refuse(f"{_FIELD}.y_max", f"{region.y_max:g}", f"at least y_min, {region.y_min:g}")
    return region


def _refuse(field: str, got: str, want: str) -> NoReturn:
    raise InvalidRegionError(Violation(field, got, want))
