"""Options of estimates and streams."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from posewire_client.checks import check_count, check_flag, check_range, check_score
from posewire_client.pose import Box


class Delivery(enum.Enum):
    """What happens to frames that arrive faster than they can be processed."""

    LOSSLESS = "lossless"
    """Every frame is processed; the source of frames waits."""
    LATEST = "latest"
    """A newer frame replaces one that still waits. For live cameras."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOptions:
    """Options of an estimate. None means the model's default.

    `region_of_interest` restricts the search to a part of the image; it is a Box, or its four sides
    (x_min, y_min, x_max, y_max), which become a Box. The comments in estimate.proto describe each
    option and its range. Raises ValueError and TypeError, with the option's name.
    """

    max_poses: int | None = None
    min_pose_score: float | None = None
    min_keypoint_score: float | None = None
    region_of_interest: Box | Sequence[float] | None = None
    refine: bool | None = None
    flip_test: bool | None = None

    def __post_init__(self) -> None:
        check_count("max_poses", self.max_poses)
        check_score("min_pose_score", self.min_pose_score)
        check_score("min_keypoint_score", self.min_keypoint_score)
        check_flag("refine", self.refine)
        check_flag("flip_test", self.flip_test)
        if self.region_of_interest is not None:
            object.__setattr__(self, "region_of_interest", region_box(self.region_of_interest))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothingOptions:
    """How keypoints of tracked people are smoothed. None means the server's default.

    A lower `min_cutoff_hz` jitters less at rest, a higher `cutoff_per_speed` lags less in fast
    movements. The comments in stream.proto describe each option and its range. Raises ValueError
    and TypeError, with the option's name.
    """

    min_cutoff_hz: float | None = None
    cutoff_per_speed: float | None = None
    speed_cutoff_hz: float | None = None
    max_gap_secs: float | None = None

    def __post_init__(self) -> None:
        check_range("min_cutoff_hz", self.min_cutoff_hz, 0.001, 1000)
        check_range("cutoff_per_speed", self.cutoff_per_speed, 0, 1000)
        check_range("speed_cutoff_hz", self.speed_cutoff_hz, 0.001, 1000)
        check_range("max_gap_secs", self.max_gap_secs, 0, 10)


def region_box(region: Box | Sequence[float]) -> Box:
    """Return the region as a Box; raises ValueError and TypeError."""
    sides = (
        (region.x_min, region.y_min, region.x_max, region.y_max)
        if isinstance(region, Box)
        else region
    )
    wanted = f"region_of_interest: got {region!r}, want (x_min, y_min, x_max, y_max)"
    try:
        x_min, y_min, x_max, y_max = map(float, sides)
    except TypeError as error:
        raise TypeError(wanted) from error
    except ValueError as error:
        raise ValueError(wanted) from error
    if not all(map(math.isfinite, (x_min, y_min, x_max, y_max))):
        raise ValueError(f"{wanted}, all finite")
    if x_min > x_max or y_min > y_max:
        raise ValueError(f"{wanted} with x_min <= x_max and y_min <= y_max")
    return Box(x_min, y_min, x_max, y_max)
