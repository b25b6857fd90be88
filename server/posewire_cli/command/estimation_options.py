"""Options for pose estimation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter

from posewire_cli.command.option_types import Count, Score, parse_box
from posewire_client import Box, EstimateOptions

_Region = Annotated[Box, Parameter(converter=parse_box, n_tokens=1, accepts_keys=False)]


ESTIMATION = Group("Estimation options", sort_key=3)


@Parameter(name="*", group=ESTIMATION)
@dataclass(frozen=True, slots=True, kw_only=True)
class EstimationOptions:
    max_poses: Count | None = None
    """Maximum number of poses, best first (default: the model's)."""

    min_pose_score: Score | None = None
    """Minimum pose score, from 0 to 1 (default: the model's)."""

    min_keypoint_score: Score | None = None
    """Minimum keypoint score, from 0 to 1 (default: the model's)."""

    region: _Region | None = None
    """Region of interest X0,Y0,X1,Y1 in pixels (default: the whole image)."""

    no_refine: bool = False
    """Omit keypoints without a heatmap peak of their own."""

    flip_test: bool = False
    """Also run the network on the mirrored image: more accurate, twice the time."""

    def to_client(self) -> EstimateOptions:
        """Return the options as the client takes them."""
        return EstimateOptions(
            max_poses=self.max_poses,
            min_pose_score=self.min_pose_score,
            min_keypoint_score=self.min_keypoint_score,
            region_of_interest=self.region,
            refine=False if self.no_refine else None,
            flip_test=True if self.flip_test else None,
        )
