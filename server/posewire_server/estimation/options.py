"""Options of an estimate, with the model's defaults filled in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from posewire.v1 import estimate_pb2
from posewire_server.errors import InvalidArgumentError, Violation
from posewire_server.image.region import RegionOfInterest, region_from_proto
from posewire_server.models.installed import InstalledModel

# The contract makes the default the limit, too. There cannot be more people than peaks of one
# keypoint type, of which the decoder keeps 100.
_MAX_POSES = 100

_PLAIN: tuple[Literal["min_pose_score", "min_keypoint_score", "refine", "flip_test"], ...] = (
    "min_pose_score",
    "min_keypoint_score",
    "refine",
    "flip_test",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOptions:
    """Options of one estimate, all with values.

    `flip_test`: whether the network also runs on the mirrored image.
    `region`: the part of the image to search, in frame space; None: the whole image.
    `for_tracking`: whether the estimate has the colours of each pose.
    """

    max_poses: int = _MAX_POSES
    min_pose_score: float = 0.0
    min_keypoint_score: float = 0.0
    refine: bool = True
    flip_test: bool = False
    region: RegionOfInterest | None = None
    for_tracking: bool = False

    @property
    def network_runs(self) -> int:
        """How often the network runs for one image."""
        return 2 if self.flip_test else 1

    @classmethod
    def for_model(cls, model: InstalledModel) -> EstimateOptions:
        """Return the default options of a model."""
        return cls(min_pose_score=model.min_pose_score)

    def with_proto(self, asked: estimate_pb2.EstimateOptions) -> EstimateOptions:
        """Return the options of `asked`, with these where it has none.

        Raises `InvalidArgumentError` with every option that has an invalid value, and
        `InvalidRegionError`.
        """
        if violations := tuple(_violations(asked)):
            raise InvalidArgumentError(*violations)
        given = {name: getattr(asked, name) for name in _PLAIN if asked.HasField(name)}
        poses = min(asked.max_poses, self.max_poses) if asked.HasField("max_poses") else None
        has_region = asked.HasField("region_of_interest")
        region = region_from_proto(asked.region_of_interest) if has_region else None
        return replace(self, **given, max_poses=poses or self.max_poses, region=region)

    def to_proto(self) -> estimate_pb2.EstimateOptions:
        """Convert a model's default options, which have no region."""
        return estimate_pb2.EstimateOptions(
            max_poses=self.max_poses,
            min_pose_score=self.min_pose_score,
            min_keypoint_score=self.min_keypoint_score,
            refine=self.refine,
            flip_test=self.flip_test,
        )


def _violations(asked: estimate_pb2.EstimateOptions) -> Iterator[Violation]:
    if asked.HasField("max_poses") and asked.max_poses < 1:
        yield Violation("options.max_poses", "0", "at least 1")
    for name in ("min_pose_score", "min_keypoint_score"):
        score = getattr(asked, name)
        if not 0 <= score <= 1:  # true of NaN too
            yield Violation(f"options.{name}", f"{score}", "a number from 0 to 1")
