"""Runs a model on image files in a Ray cluster, and pairs the files with their outcomes."""

from __future__ import annotations

import logging
import os
import pickle
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data
from numpy.typing import NDArray
from ray.exceptions import ActorDiedError, RayError
from ray.util.annotations import RayDeprecationWarning

from posewire.v1 import stream_pb2
from posewire_cli.batches import UnreadableImageError, pair_file, read_image
from posewire_cli.errors import TargetError
from posewire_cli.logs import are_logs_shown
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.source.bounded_reading import read_file
from posewire_cli.source.image_files import image_ids
from posewire_cli.source.source_image import SourceImage
from posewire_client import EncodedImage, EstimateOptions, FrameFailure, Outcome, Result
from posewire_client.request import estimate_request
from posewire_client.response import outcome_from_message, skeleton_from_message
from posewire_ray.answers import Answers
from posewire_ray.threads import bound_threads
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.serving.messages.status import as_request_error, status_of
from posewire_server.serving.streams.session import path_in_stream
from posewire_server.skeleton import COCO

# A block is what an actor gets at a time, and what is repeated if its node dies.
_BLOCK_IMAGES = 8
_MAX_BLOCKS = 2000
# Of an actor: an image that ends its process does so each time.
_MAX_RESTARTS = 10

SKELETON = skeleton_from_message(COCO.to_proto())

_Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class BatchModel:
    """A model, as each actor loads it: by a name or a path. `runner` has the number of threads."""

    name_or_path: str
    name: str
    runner: RunnerOptions
    cache: Path | None = None

    @property
    def threads(self) -> int:
        return self.runner.inference_num_threads

    def load(self) -> Answers:
        return Answers(self.name_or_path, self.runner, cache=self.cache)


class ImageAnswers:
    """An actor that reads images and answers them as a stream of the server does."""

    def __init__(
        self, model: BatchModel, options: EstimateOptions, apply_orientation: bool
    ) -> None:
        bound_threads(model.threads)
        self._answers = model.load()
        self._options = options
        self._apply_orientation = apply_orientation

    def __call__(self, batch: _Columns) -> _Columns:
        answers = [self._answer(*row) for row in zip(batch["index"], batch["image"], strict=True)]
        outcomes, faults = zip(*answers, strict=True)
        return {
            "index": batch["index"],
            "outcome": np.array(outcomes, object),
            "unreadable": np.array(faults, object),
        }

    def _answer(self, index: int, image: bytes) -> tuple[bytes, str]:
        """Return a serialized FrameOutcome, or why the image cannot be read."""
        frame_id = int(index) + 1
        content = read_image(pickle.loads(image), frame_id=frame_id)
        if isinstance(content, FrameFailure):
            return b"", str(content.error)
        encoded = EncodedImage(content, self._apply_orientation)
        request = estimate_request(encoded, model="", options=self._options)
        outcome = stream_pb2.FrameOutcome(frame_id=frame_id)
        try:
            outcome.result.ParseFromString(self._answers.result(request.image, request.options))
        except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
            status = status_of(as_request_error(error), locate=path_in_stream)
            outcome.error.status.CopyFrom(status)
        return outcome.SerializeToString(), ""


def estimate_on_ray(
    images: Sequence[SourceImage],
    model: BatchModel,
    options: EstimateOptions,
    *,
    apply_orientation: bool = True,
) -> Generator[AnsweredImage, None, None]:
    """Estimate image files in the cluster of RAY_ADDRESS, else in one of this process.

    Yields them in order, as `estimate_files` does. Each actor has one processor for each of the
    model's threads. Raises `TargetError` if Ray fails or its nodes have different models.
    """
    ids = image_ids(images)
    with _cluster(), _reporting_errors():
        rows = _run(images, model, options, apply_orientation)
        versions: set[str] = set()
        for i, image in enumerate(images):
            if image.is_absent:
                outcome: Outcome | bytes = read_image(image, frame_id=i + 1)
            else:
                outcome = _outcome(next(rows), i, model.name)
            assert not isinstance(outcome, bytes), "an absent image cannot be read"
            if isinstance(outcome, Result):
                versions.add(outcome.model_version)
                _check_versions(versions, model.name)
            yield pair_file(
                image, ids[i], outcome, read=image.read, apply_orientation=apply_orientation
            )


def _run(
    images: Sequence[SourceImage],
    model: BatchModel,
    options: EstimateOptions,
    apply_orientation: bool,
) -> Iterator[dict[str, Any]]:
    rows = [
        {"index": i, "image": pickle.dumps(_movable(image))}
        for i, image in enumerate(images)
        if not image.is_absent
    ]
    blocks = min(-(-len(rows) // _BLOCK_IMAGES), _MAX_BLOCKS)
    dataset = ray.data.from_items(rows, override_num_blocks=blocks)
    dataset.context.execution_options.preserve_order = True
    if not are_logs_shown():
        dataset.context.enable_progress_bars = False
    actors = int(ray.cluster_resources().get("CPU", 0)) // model.threads
    # With a smaller minimum, an actor of a node that died finds the place of an idle one.
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=max(1, min(actors, blocks)))
    with warnings.catch_warnings():
        # Ray 2.60 calls ray_remote_args_fn deprecated and has no other way to bound restarts.
        warnings.simplefilter("ignore", RayDeprecationWarning)
        answered = dataset.map_batches(
            ImageAnswers,
            fn_constructor_args=(model, options, apply_orientation),
            batch_size=None,
            compute=pool,
            num_cpus=model.threads,
            ray_remote_args_fn=lambda: {"max_restarts": _MAX_RESTARTS},
        )
    rows_of_answers: Iterator[dict[str, Any]] = iter(answered.iter_rows())
    return rows_of_answers


def _movable(image: SourceImage) -> SourceImage:
    """Return an image that another process, with a directory of its own, reads."""
    if image.path is None:
        return image
    path = Path(os.path.abspath(image.path))
    return replace(image, path=path, read=partial(read_file, path))


def _outcome(row: dict[str, Any], index: int, model: str) -> Outcome:
    if row["index"] != index:
        raise TargetError(f"Ray: got image {row['index']}, want image {index}")
    if row["unreadable"]:
        error = UnreadableImageError(row["unreadable"])
        return FrameFailure(frame_id=index + 1, error=error)
    message = stream_pb2.FrameOutcome.FromString(row["outcome"])
    return outcome_from_message(message, model=model, frames_skipped_before=0, skeleton=SKELETON)


def _check_versions(versions: set[str], model: str) -> None:
    if len(versions) > 1:
        raise TargetError(
            f"Ray: got versions {', '.join(sorted(versions))} of {model}, "
            "want the same posewire and model on all nodes"
        )


@contextmanager
def _cluster() -> Iterator[None]:
    """Join a cluster or start one, unless this process has joined one before."""
    if ray.is_initialized():
        yield
        return
    is_verbose = are_logs_shown()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not is_verbose:
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with nullcontext() if is_verbose else _silent_stderr():
            ray.init(log_to_driver=is_verbose, configure_logging=is_verbose)
    except Exception as error:
        raise TargetError(f"Ray did not start: {_last_line(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard what Ray's core prints: one line even when told to print nothing."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _reporting_errors() -> Iterator[None]:
    try:
        yield
    except RayError as error:
        if isinstance(error, ActorDiedError) and "creation task" not in str(error):
            raise TargetError(
                f"Ray: a process ended {_MAX_RESTARTS + 1} times, want images that do not end it "
                "and enough memory for them; see --verbose"
            ) from error
        raise TargetError(f"Ray: {_last_line(error)}") from error


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(error).__name__
