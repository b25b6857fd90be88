"""Results of images and outcomes of frames."""

from __future__ import annotations

import enum
import json
import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_client.coco import coco_records
from posewire_client.document import result_document, result_table
from posewire_client.errors import StatusError
from posewire_client.image import ImageInput
from posewire_client.openpose import openpose_document
from posewire_client.optional import needed_by
from posewire_client.pixels import Color
from posewire_client.pose import Origin, Pose
from posewire_client.skeleton import Skeleton

if TYPE_CHECKING:
    import pandas as pd
    import supervision as sv

    from posewire_client.drawing.style import ColorBy


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

    `image` is the path of the image if that is how it was given, and in a stream with keep_images
    the image itself, arrays in BGR order. Otherwise it is None: a result keeps no pixels alive.
    `skeleton` describes the keypoints; it is None only if the server did not.
    """

    poses: tuple[Pose, ...]
    model: str
    model_version: str
    image_width: int
    image_height: int
    stage_times: StageTimes
    frame_id: int | None = None
    frames_skipped_before: int = 0
    skeleton: Skeleton | None = None
    image: ImageInput | None = None

    @property
    def keypoints(self) -> NDArray[np.float32]:
        """(N, K, 2): x and y in pixels of the image; (0, 0, 2) without poses."""
        if not self.poses:
            return np.empty((0, 0, 2), np.float32)
        return np.stack([pose.keypoints for pose in self.poses])

    @property
    def xyn(self) -> NDArray[np.float32]:
        """(N, K, 2): `keypoints` divided by the width and the height of the image."""
        size = np.array([self.image_width, self.image_height], np.float32)
        return np.divide(self.keypoints, size, dtype=np.float32)

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

    def to_json(self, *, indent: int | None = None) -> str:
        """Convert to a JSON document, as `posewire predict --json` prints it.

        Each pose has its score, its box, and by its name each keypoint that is not absent.
        """
        return json.dumps(result_document(self), indent=indent)

    def to_df(self) -> pd.DataFrame:
        """Convert to a table of pandas: one row per keypoint of each person.

        The columns are frame_id, person, pose_score, track_id, keypoint, x, y, score and origin. x
        and y of an absent keypoint are NaN. Raises MissingPackageError without pandas.
        """
        with needed_by("Result.to_df", package="pandas", install="pandas"):
            return result_table(self)

    def to_supervision(self) -> sv.KeyPoints:
        """Convert to `supervision.KeyPoints` of class 0, "person"; needs supervision 0.29 or newer.

        Absent keypoints are (0, 0), as supervision expects, and not visible. Raises
        MissingPackageError without supervision.
        """
        with needed_by("Result.to_supervision", package="supervision", install="supervision>=0.29"):
            import supervision as sv
        if not self.poses:
            return sv.KeyPoints.empty()
        return sv.KeyPoints(
            xy=self.keypoints,
            class_id=np.zeros(len(self.poses), int),
            keypoint_confidence=self.keypoint_scores,
            detection_confidence=self.scores,
            visible=self.origins != Origin.ABSENT,
            data={"class_name": np.array(["person"] * len(self.poses))},
        )

    def plot(
        self,
        image: ImageInput | None = None,
        *,
        color: Color = "bgr",
        min_keypoint_score: float | None = None,
        color_by: ColorBy = "limb",
    ) -> NDArray[np.uint8]:
        """Draw the poses into a copy of the image; return it, (h, w, 3).

        `image` is the one that the result is for, in any form that `Client.estimate` takes; it may
        be omitted if the result has it. `color` is the order of the channels of an array given and
        of the array returned. Keypoints below `min_keypoint_score` (default: 0.1) are not drawn.
        `color_by` gives colours to the sides of the body ("limb") or to people ("person").

        Raises ValueError without an image and for one of another size, and MissingPackageError
        without OpenCV.
        """
        with _needing_opencv("Result.plot"):
            from posewire_client.drawing import Style
            from posewire_client.plotting import plot
        style = Style(color_by=color_by, min_keypoint_score=min_keypoint_score)
        return plot(self, image, style, color=color)

    def save(
        self,
        path: str | os.PathLike[str],
        image: ImageInput | None = None,
        *,
        color: Color = "bgr",
        min_keypoint_score: float | None = None,
        color_by: ColorBy = "limb",
    ) -> None:
        """Draw the poses as `plot` does and write a picture in the format of its suffix.

        Raises OSError if it cannot be written, and ValueError for an unknown suffix and for the
        image itself.
        """
        with _needing_opencv("Result.save"):
            from posewire_client.drawing import Style
            from posewire_client.plotting import save
        style = Style(color_by=color_by, min_keypoint_score=min_keypoint_score)
        save(self, Path(path), image, style, color=color)

    def show(
        self,
        image: ImageInput | None = None,
        *,
        color: Color = "bgr",
        min_keypoint_score: float | None = None,
        color_by: ColorBy = "limb",
        title: str = "posewire",
    ) -> None:
        """Draw the poses as `plot` does and show them until a key is pressed.

        Raises NoDisplayError without a display, and MissingPackageError without an OpenCV that
        opens windows: opencv-python-headless does not.
        """
        with _needing_opencv("Result.show"):
            from posewire_client.drawing import Style
            from posewire_client.plotting import plot, show
        style = Style(color_by=color_by, min_keypoint_score=min_keypoint_score)
        canvas = plot(self, image, style, color=color)
        show(canvas if color == "bgr" else canvas[..., ::-1], title)


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


def _needing_opencv(user: str) -> AbstractContextManager[None]:
    return needed_by(user, package="OpenCV", install="posewire[opencv]")


Outcome: TypeAlias = "Result | FrameFailure | Skipped"
