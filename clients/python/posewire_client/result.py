"""Results of images and outcomes of frames."""

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
    """Why a frame was not processed."""

    UNKNOWN = "unknown"
    """A reason that is newer than this client."""
    SUPERSEDED = "superseded"
    """A newer frame arrived while this one waited."""
    TOO_OLD = "too old"
    """It waited longer than `max_frame_age_secs`."""
    OVERLOADED = "overloaded"
    """The server's queue was full."""
    DRAINING = "draining"
    """The server was draining the stream."""


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Time that the server spent on the image, in seconds; None for a stage that did not run.

    In a stream, `total_secs` includes waiting for the outcomes of earlier frames.
    """

    image_decode_secs: float | None
    queue_secs: float | None
    letterbox_secs: float | None
    inference_secs: float | None
    grouping_secs: float | None
    total_secs: float | None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Result:
    """The poses in an image, best score first.

    `frame_id` counts the frames of a stream from 1 and is None for a single image;
    `frames_skipped_before` counts the frames of the stream that were skipped before this one.
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
        """(N, K, 2): x and y in pixels of the image; (0, 0, 2) without poses."""
        if not self.poses:
            return np.empty((0, 0, 2), np.float32)
        return np.stack([pose.keypoints for pose in self.poses])

    @property
    def keypoint_scores(self) -> NDArray[np.float32]:
        """(N, K) in [0, 1]; (0, 0) without poses."""
        if not self.poses:
            return np.empty((0, 0), np.float32)
        return np.stack([pose.keypoint_scores for pose in self.poses])

    @property
    def origins(self) -> NDArray[np.uint8]:
        """(N, K), values of Origin; (0, 0) without poses."""
        if not self.poses:
            return np.empty((0, 0), np.uint8)
        return np.stack([pose.origins for pose in self.poses])

    @property
    def scores(self) -> NDArray[np.float32]:
        """(N,) pose scores in [0, 1]."""
        return np.array([pose.score for pose in self.poses], np.float32)

    def to_coco(self, image_id: int, *, category_id: int = 1) -> list[dict[str, Any]]:
        """Convert to records of a COCO keypoint results file, one per person.

        The third number of a keypoint is its score, which COCO evaluation ignores. Absent keypoints
        are zeros.
        """
        return coco_records(self.poses, image_id=image_id, category_id=category_id)

    def to_openpose(self) -> dict[str, Any]:
        """Convert to the JSON document of OpenPose, in its COCO order of 18 keypoints.

        COCO has no neck: it is the midpoint of the shoulders with the lower of their scores, and
        absent if either of them is. Raises ValueError for a skeleton without 17 keypoints.
        """
        return openpose_document(self.poses)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FrameFailure:
    """A frame that could not be processed. The stream continues. Do not resend the frame."""

    frame_id: int
    error: StatusError
    frames_skipped_before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A frame that was not processed. This is not an error."""

    frame_id: int
    reason: SkipReason
    frames_skipped_before: int = 0


Outcome: TypeAlias = "Result | FrameFailure | Skipped"
