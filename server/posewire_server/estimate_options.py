"""What a client wants from an estimate, with the model's own wishes where it says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from posewire.v1 import estimate_pb2
from posewire_decoder import Origin
from posewire_server.errors import InvalidFieldsError
from posewire_server.frame_poses import FramePoses
from posewire_server.region import RegionOfInterest, region_from_proto

# As the contract has it, the default is the limit too. More people than peaks of one keypoint
# type, of which the decoder keeps 100, cannot be found.
_MAX_POSES = 100

_PLAIN: tuple[Literal["min_pose_score", "min_keypoint_score", "refine"], ...] = (
    "min_pose_score",
    "min_keypoint_score",
    "refine",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateOptions:
    """Options of one estimate, every one of them settled.

    `region`: the part of the image to look at, in frame space; None is the whole image.
    """

    max_poses: int = _MAX_POSES
    min_pose_score: float = 0.0
    min_keypoint_score: float = 0.0
    refine: bool = True
    region: RegionOfInterest | None = None

    def with_proto(self, asked: estimate_pb2.EstimateOptions, *, path: str) -> EstimateOptions:
        """These, where `asked` leaves an option out; `path` is that of `asked` in the request.

        Raises `InvalidFieldsError`, which names every option with a value that cannot be, and
        `InvalidRegionError`.
        """
        faults = {f"{path}.{field}": fault for field, fault in _faults(asked)}
        if faults:
            raise InvalidFieldsError(faults)
        given = {name: getattr(asked, name) for name in _PLAIN if asked.HasField(name)}
        poses = min(asked.max_poses, self.max_poses) if asked.HasField("max_poses") else None
        has_region = asked.HasField("region_of_interest")
        region = region_from_proto(asked.region_of_interest) if has_region else None
        return replace(self, **given, max_poses=poses or self.max_poses, region=region)

    def wanted(self, poses: FramePoses) -> FramePoses:
        """Those of the poses, best first, that these options leave."""
        is_wanted = poses.scores >= self.min_pose_score
        if self.min_keypoint_score > 0:
            poses = poses.without_keypoints_below(self.min_keypoint_score)
            is_wanted &= (poses.origins != Origin.ABSENT).any(axis=1)
        return poses.chosen(np.flatnonzero(is_wanted)[: self.max_poses])

    def to_proto(self) -> estimate_pb2.EstimateOptions:
        """As a model's default options, which have no region."""
        return estimate_pb2.EstimateOptions(
            max_poses=self.max_poses,
            min_pose_score=self.min_pose_score,
            min_keypoint_score=self.min_keypoint_score,
            refine=self.refine,
            flip_test=False,
        )


def _faults(asked: estimate_pb2.EstimateOptions) -> Iterator[tuple[str, str]]:
    if asked.HasField("max_poses") and asked.max_poses < 1:
        yield "max_poses", "got 0, want at least 1"
    for name in ("min_pose_score", "min_keypoint_score"):
        score = getattr(asked, name)
        if not 0 <= score <= 1:  # NaN is not either
            yield name, f"got {score}, want a number from 0 to 1"
    if asked.flip_test:
        yield "flip_test", "got true, want false: this server does not run the mirrored image"
