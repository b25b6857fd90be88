"""Estimates poses in this process, as a server with the same model would."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import estimate_pb2, image_pb2, pose_pb2
from posewire_server.errors import InvalidArgumentError, Violation
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Estimate, Pipeline
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.models.installed import installed_model
from posewire_server.skeleton import Skeleton

ImageInput: TypeAlias = (
    "NDArray[np.uint8] | bytes | bytearray | memoryview | str | os.PathLike[str]"
)
Region: TypeAlias = tuple[float, float, float, float]

_MAX_UINT32 = (1 << 32) - 1


class LocalEstimator:
    """One model in this process; its answers equal those of a server with the same model.

    `model`: name of an installed model, or path of an .xml or .onnx file. `runner`: where and how
    OpenVINO runs it. `limits`: the largest image; the default is the server's. `cache`: directory
    of installed models (default: $POSEWIRE_CACHE or the user's cache).

    Any number of threads may share an estimator. Use it in a `with` statement, or close it. Raises
    `ModelError` for a model that cannot be loaded.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        runner: RunnerOptions | None = None,
        limits: ImageLimits | None = None,
        cache: Path | None = None,
    ) -> None:
        installed = installed_model(os.fspath(model), cache=cache)
        self._pipeline: Pipeline | None = Pipeline.for_model(installed, runner)
        self._limits = limits or ImageLimits()
        self.name = installed.name
        """Name of the model."""
        self.skeleton: Skeleton = self._pipeline.skeleton
        """Names of the keypoints and the edges between them."""
        self.default_options = EstimateOptions.for_model(installed)
        """The model's default options, which a server with this model has, too."""

    def __enter__(self) -> LocalEstimator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the network. Calls in progress in other threads are completed."""
        self._pipeline = None

    def estimate(
        self,
        image: ImageInput,
        *,
        max_poses: int | None = None,
        min_pose_score: float | None = None,
        min_keypoint_score: float | None = None,
        region: Region | None = None,
        refine: bool | None = None,
        flip_test: bool | None = None,
        apply_orientation: bool = True,
    ) -> Estimate[FramePoses]:
        """Estimate the poses in an image, best first; blocks until they are known.

        `image`: a uint8 array (height, width, 3) in BGR order or (height, width) of grey, or the
        bytes or the path of a JPEG, PNG, WebP or BMP file. Options that are None have the model's
        default; `estimate.proto` describes them. `region`: x_min, y_min, x_max and y_max in pixels.
        `apply_orientation`: whether coordinates refer to the image file as a viewer shows it,
        turned as its EXIF metadata says, or to the pixels as stored.

        Raises `InvalidArgumentError` where a server would answer with it, `OSError` for an
        unreadable file, and `RuntimeError` after `close`.
        """
        pipeline = self._pipeline
        if pipeline is None:
            raise RuntimeError("the estimator is closed")
        options = self.default_options.with_proto(
            _requested_options(
                max_poses,
                region,
                min_pose_score=min_pose_score,
                min_keypoint_score=min_keypoint_score,
                refine=refine,
                flip_test=flip_test,
            )
        )
        if isinstance(image, np.ndarray):
            return pipeline.estimate_pixels(image, options, limits=self._limits)
        encoded = image_pb2.EncodedImage(
            data=_read(image),
            orientation_policy=(
                image_pb2.ORIENTATION_POLICY_APPLY
                if apply_orientation
                else image_pb2.ORIENTATION_POLICY_IGNORE
            ),
        )
        message = image_pb2.Image(encoded=encoded)
        return pipeline.estimate_image(message, options, limits=self._limits)


def _read(image: bytes | bytearray | memoryview | str | os.PathLike[str]) -> bytes:
    if isinstance(image, str | os.PathLike):
        return Path(image).read_bytes()
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    raise TypeError(
        f"image: got {type(image).__name__}, want a uint8 array, or the bytes or the path of an "
        "image file"
    )


def _requested_options(
    max_poses: int | None, region: Region | None, **others: float | None
) -> estimate_pb2.EstimateOptions:
    """Return the message of a request, so that values are rounded and checked as in a server."""
    message = estimate_pb2.EstimateOptions()
    if max_poses is not None:
        if max_poses < 1:  # negative numbers have no place in the message
            raise InvalidArgumentError(Violation("options.max_poses", f"{max_poses}", "at least 1"))
        message.max_poses = min(max_poses, _MAX_UINT32)
    if region is not None:
        message.region_of_interest.CopyFrom(_box(region))
    for name, value in others.items():
        if value is not None:
            setattr(message, name, value)
    return message


def _box(region: Region) -> pose_pb2.Box:
    if len(region) != 4:
        raise ValueError(f"region: got {region!r}, want (x_min, y_min, x_max, y_max)")
    x_min, y_min, x_max, y_max = region
    return pose_pb2.Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max)
