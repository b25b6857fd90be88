"""Options of estimates and streams."""

from __future__ import annotations

import enum
from dataclasses import dataclass

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

    `region_of_interest` restricts the search to a part of the image. The comments in
    estimate.proto describe each option and its range.
    """

    max_poses: int | None = None
    min_pose_score: float | None = None
    min_keypoint_score: float | None = None
    region_of_interest: Box | None = None
    refine: bool | None = None
    flip_test: bool | None = None
