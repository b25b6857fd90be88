"""What became of an image or of a frame."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_client.coco import coco_records
from posewire_client.errors import StatusError
from posewire_client.openpose import openpose_document
from posewire_client.pose import Pose


class SkipReason(enum.Enum):
    """Why a frame was not looked at."""

    UNKNOWN = "unknown"
    """For a reason that is newer than this client."""
    SUPERSEDED = "superseded"
    """A newer frame came while this one waited."""
    TOO_OLD = "too old"
    """It waited longer than `max_frame_age_secs`."""
    OVERLOADED = "overloaded"
    """The server had no room for it."""
    DRAINING = "draining"
    """The server was about to end the stream."""


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Seconds that the server worked on the image; None for a stage that did not run.

    In a stream, `total_secs` includes the wait for the outcomes of earlier frames.
    """

    image_decode_secs: float | None
    queue_secs: float | None
    letterbox_secs: float | None
    inference_secs: float | None
    grouping_secs: float | None
    total_secs: float | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Result:
    """The people in an image, best score first.

    `frame_id` counts the frames of a stream from 1 and is None for a single image;
    `frames_skipped_before` is how many frames of the stream were skipped before this one.
    """

    poses: tuple[Pose, ...]
    model: str
    model_version: str
    image_width: int
    image_height: int
    stage_times: StageTimes
    frame_id: int | None = None
    frames_skipped_before: int = 0

    @property
    def keypoints(self) -> NDArray[np.float32]:
        """(N, K, 2), x and y in pixels of the image; (0, 0, 2) if nobody is there."""
        if not self.poses:
            return np.empty((0, 0, 2), np.float32)
        return np.stack([pose.keypoints for pose in self.poses])

    @property
    def keypoint_scores(self) -> NDArray[np.float32]:
        """(N, K) in [0, 1]; (0, 0) if nobody is there."""
        if not self.poses:
            return np.empty((0, 0), np.float32)
        return np.stack([pose.keypoint_scores for pose in self.poses])

    @property
    def origins(self) -> NDArray[np.uint8]:
        """(N, K), values of Origin; (0, 0) if nobody is there."""
        if not self.poses:
            return np.empty((0, 0), np.uint8)
        return np.stack([pose.origins for pose in self.poses])

    @property
    def scores(self) -> NDArray[np.float32]:
        """(N,) pose scores in [0, 1]."""
        return np.array([pose.score for pose in self.poses], np.float32)

    def to_coco(self, image_id: int, *, category_id: int = 1) -> list[dict[str, Any]]:
        """One record per person of a COCO keypoint results file.

        A keypoint's third number is its score; evaluators read only the first two. Absent
        keypoints are zeros.
        """
        return coco_records(self.poses, image_id=image_id, category_id=category_id)

    def to_openpose(self) -> dict[str, Any]:
        """The document that OpenPose writes for an image, in its COCO order of 18 keypoints.

        The neck, which COCO's 17 keypoints lack, is the middle of the shoulders with the lower of
        their scores, and absent if either is. Raises ValueError for skeletons of another size.
        """
        return openpose_document(self.poses)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FrameFailure:
    """A frame that could not be handled; the stream goes on. Sent again it would fail again."""

    frame_id: int
    error: StatusError
    frames_skipped_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A frame that was not looked at, which is no error."""

    frame_id: int
    reason: SkipReason
    frames_skipped_before: int = 0


Outcome: TypeAlias = "Result | FrameFailure | Skipped"
