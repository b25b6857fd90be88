"""The poses in images, as columns of a Ray dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from posewire_ray.object_store import read_file
from posewire_ray.pose_columns import ImagePoses, pose_columns
from posewire_ray.threads import bound_threads
from posewire_server import LocalEstimator
from posewire_server.estimation.local_estimator import ImageInput
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.serving.messages.status import as_request_error

# Files that are read at the same time, which takes hardly any processor time.
_READERS = 8

_UNREADABLE = "UNREADABLE"


class PoseEstimator:
    """Estimates the poses in batches of images: a class for `ray.data.Dataset.map_batches`.

    Pass it with `batch_format="pyarrow"`, the processors of each actor as `num_cpus` and the number
    of actors as `concurrency`. Each actor loads the network once and runs it with as many threads
    as it has processors.

    `model`: name of a model that is installed on each node, or path of an .xml or .onnx file.
    `column`: the column of images: bytes of JPEG, PNG, WebP or BMP files
    (`ray.data.read_binary_files`), paths or addresses such as s3://bucket/key, or uint8 pixels
    (height, width, 3) in RGB order (`ray.data.read_images`) or grey (height, width).
    `cache`: directory of installed models. `threads`: of the network, instead of the actor's
    processors. `options`: those of `LocalEstimator.estimate`.

    The result has the other columns of the batch, a column of paths included, and those of
    `pose_columns`. An image that fails has an error there, and the job continues.
    """

    def __init__(
        self,
        model: str,
        *,
        column: str = "bytes",
        cache: str | None = None,
        threads: int | None = None,
        **options: Any,
    ) -> None:
        self._column = column
        self._options = options
        self._estimator = LocalEstimator(
            model,
            runner=RunnerOptions(inference_num_threads=bound_threads(threads)),
            cache=None if cache is None else Path(cache),
        )
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="read")

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Return the batch with columns of poses instead of the images."""
        if not isinstance(batch, pa.Table):
            raise TypeError(
                f"batch: got {type(batch).__name__}, want pyarrow.Table: "
                'call map_batches with batch_format="pyarrow"'
            )
        if self._column not in batch.column_names:
            raise ValueError(
                f"column: got {self._column!r}, want one of {', '.join(batch.column_names)}"
            )
        images = _values(batch[self._column])
        if not pa.types.is_string(batch.schema.field(self._column).type):
            batch = batch.drop_columns([self._column])
        found = [self._estimate(each) for each in self._read_ahead(images)]
        names = self._estimator.skeleton.names
        for name, values in pose_columns(found, keypoints=len(names)).items():
            batch = batch.append_column(name, values)
        return batch

    def _read_ahead(self, images: Sequence[Any]) -> Iterator[ImageInput | OSError]:
        return self._readers.map(_read, images)

    def _estimate(self, image: ImageInput | OSError) -> ImagePoses:
        if isinstance(image, OSError):
            return ImagePoses(error=image.strerror or str(image), error_code=_UNREADABLE)
        try:
            estimate = self._estimator.estimate(image, **self._options)
        except TypeError:  # wrong columns and options, which all images have
            raise
        except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
            fault = as_request_error(error)
            return ImagePoses(error=str(fault), error_code=fault.code)
        return ImagePoses(estimate.poses, estimate.frame)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return bytes, texts, or the arrays of a column of tensors."""
    if isinstance(column.type, pa.ExtensionType):
        return [each for chunk in column.chunks for each in chunk.to_numpy(zero_copy_only=False)]
    return [*column.to_pylist()]


def _read(image: Any) -> ImageInput | OSError:
    if isinstance(image, str):
        try:
            return read_file(image)
        except OSError as error:
            return error
    if isinstance(image, np.ndarray):
        return np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else image
    return b"" if image is None else bytes(image)
