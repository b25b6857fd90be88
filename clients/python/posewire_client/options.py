"""What a caller can ask for."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from posewire_client.pose import Box


class Delivery(enum.Enum):
    """What happens to frames that come faster than they can be handled."""

    LOSSLESS = "lossless"
    """Every frame is handled, and the source of the frames waits."""
    LATEST = "latest"
    """Newer frames take the place of those that wait: for live cameras."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOptions:
    """Options of an estimate; the model's defaults hold for those that are None.

    `region_of_interest` restricts the search to a part of the image. The contract's comments in
    estimate.proto say what each of them does and which values it takes.
    """

    max_poses: int | None = None
    min_pose_score: float | None = None
    min_keypoint_score: float | None = None
    region_of_interest: Box | None = None
    refine: bool | None = None
    flip_test: bool | None = None
