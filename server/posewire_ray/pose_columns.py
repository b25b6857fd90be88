"""Poses of many images as Arrow columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.geometry import Size


@dataclass(frozen=True, slots=True, eq=False)
class ImagePoses:
    """The poses in an image and its size, or else an error with its code."""

    poses: FramePoses | None = None
    size: Size | None = None
    error: str | None = None
    error_code: str | None = None


def pose_columns(images: Sequence[ImagePoses], *, keypoints: int) -> dict[str, pa.Array]:
    """Return columns with one value for each image, which has N poses of K keypoints, best first.

    - `scores`: (N,) of float32 in [0, 1].
    - `boxes`: (N, 4) of float32: x_min, y_min, x_max and y_max of the keypoints that are found.
    - `keypoints`: (N, K, 2) of float32: x and y; (0, 0) where absent.
    - `keypoint_scores`: (N, K) of float32 in [0, 1].
    - `origins`: (N, K) of uint8: 1 detected, 2 inferred, 3 absent.
    - `image_width` and `image_height`: int32; null if the image failed.
    - `error`: text, null if the image did not fail; then there are no poses.
    - `error_code`: gRPC's name of the status, such as INVALID_ARGUMENT, or UNREADABLE; else null.

    Coordinates are in pixels of the image as a viewer shows it, from the centre of its top-left
    pixel, x to the right and y down. Arrays are lists of lists, which Parquet files have, too.
    """
    found = [each.poses or _no_poses(keypoints) for each in images]
    counts = [len(each) for each in found]
    widths = [each.size and each.size.width for each in images]
    heights = [each.size and each.size.height for each in images]
    return {
        "scores": _lists([each.scores for each in found], counts),
        "boxes": _lists([each.boxes for each in found], counts),
        "keypoints": _lists([each.keypoints for each in found], counts),
        "keypoint_scores": _lists([each.keypoint_scores for each in found], counts),
        "origins": _lists([each.origins for each in found], counts),
        "image_width": pa.array(widths, pa.int32()),
        "image_height": pa.array(heights, pa.int32()),
        "error": pa.array([each.error for each in images], pa.string()),
        "error_code": pa.array([each.error_code for each in images], pa.string()),
    }


def _no_poses(keypoints: int) -> FramePoses:
    return FramePoses(
        np.empty((0, keypoints, 2), np.float32),
        np.empty((0, keypoints), np.float32),
        np.empty((0, keypoints), np.uint8),
        np.empty(0, np.float32),
    )


def _lists(arrays: Sequence[NDArray[np.generic]], counts: Sequence[int]) -> pa.Array:
    """Return one list of lists for each array."""
    joined = np.concatenate(arrays)
    values = pa.array(joined.ravel())
    for depth in range(joined.ndim - 1, 0, -1):
        side = joined.shape[depth]
        ends = np.arange(0, joined.size // math.prod(joined.shape[depth + 1 :]) + 1, side)
        values = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)
    starts = np.concatenate(([0], np.cumsum(counts)))
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), values)
