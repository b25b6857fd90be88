"""From a frame to its poses: letterbox, inference, grouping, and back to the frame."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_decoder import (
    Decoder,
    DecoderOptions,
    Origin,
    Poses,
    ReferenceDecoder,
    ReferenceOptions,
)
from posewire_server.estimation.duplicates import join_people
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.letterbox import Letterbox
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.runner import NetworkOutput, OpenVinoRunner, Runner, RunnerOptions
from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.file import read_frame
from posewire_server.image.frame import Frame, frame_from_pixels, frame_from_proto
from posewire_server.image.limits import ImageLimits
from posewire_server.models.installed import InstalledModel
from posewire_server.models.network import read_network
from posewire_server.skeleton import COCO, Skeleton

# Images prepared while the network runs others. Enough to keep it busy: a 1080p JPEG takes a thread
# 6 to 12 ms.
_PREFETCH = 2
# How many of the best poses are searched for duplicates. The time grows with the square of that, to
# about 5 ms if all overlap and few are alike. A picture of 60 people had 136 candidates.
_MAX_CANDIDATES = 300
_ABSENT = np.uint8(Origin.ABSENT)  # an array takes five times as long to compare with an enum


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long each stage took; mapping back to the frame counts as grouping.

    `image_decode_secs` is None if the frame came as pixels of this process. `queue_secs` is the
    time spent waiting for the network.
    """

    letterbox_secs: float
    inference_secs: float
    grouping_secs: float
    image_decode_secs: float | None = None
    queue_secs: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The poses in a frame, the stage times and the size of the frame."""

    poses: FramePoses
    times: StageTimes
    frame: Size


class Pipeline:
    """One model from frames to poses; any number of threads may use it.

    `decoder` has the model's delta. With a `ReferenceDecoder` duplicates are not joined, so people
    may occur twice.
    """

    def __init__(
        self,
        runner: Runner,
        decoder: Decoder | ReferenceDecoder,
        geometry: InputGeometry,
        *,
        skeleton: Skeleton = COCO,
    ) -> None:
        self.skeleton = skeleton
        self._runner = runner
        self._decoder = decoder
        self._geometry = geometry

    @classmethod
    def for_model(
        cls,
        model: InstalledModel,
        options: RunnerOptions | None = None,
        *,
        reference: bool = False,
    ) -> Pipeline:
        """Load a model.

        `reference`: resize and decode like Open Model Zoo's accuracy checker. Mapping back to the
        frame stays exact, where the checker's is off by up to half a pixel.
        """
        runner = OpenVinoRunner(read_network(model.path), options)
        return cls.with_runner(model, runner, reference=reference)

    @classmethod
    def with_runner(
        cls, model: InstalledModel, runner: Runner, *, reference: bool = False
    ) -> Pipeline:
        """Prepare and decode as for this model, whose network `runner` runs."""
        geometry = model.geometry
        decoder: Decoder | ReferenceDecoder = Decoder(DecoderOptions(delta=model.delta))
        if reference:
            geometry = replace(geometry, shrinking="linear")
            decoder = ReferenceDecoder(ReferenceOptions(delta=model.delta))
        return cls(runner, decoder, geometry)

    @property
    def capacity(self) -> int:
        """How many images the network runs at the same time."""
        return self._runner.capacity

    @property
    def max_in_progress(self) -> int:
        """How many images to have in progress so that the network never waits for the next."""
        return self.capacity + _PREFETCH

    def input_size(self, frame: Size) -> Size:
        """Return the size of the network's input for a frame of this size."""
        return Letterbox.fitting(frame, self._geometry).input

    def estimate(self, frame: NDArray[np.uint8]) -> Estimate:
        """Estimate all poses in a BGR frame (height, width, 3), whatever their scores.

        `LocalEstimator` returns those that a server would.
        """
        return self._estimate(Frame.whole(frame))

    def estimate_file(self, path: Path, *, apply_orientation: bool = True) -> Estimate:
        """Estimate all poses in an image file, decoded like those that clients send.

        `apply_orientation`: whether keypoints refer to the image as a viewer shows it, or as it is
        stored. With the geometry of the published recipes it is decoded at full size, as their
        resize requires. Raises `ImageFileError` for a file that is not an image, and `OSError`.
        """
        needed = self._resized if self._geometry.shrinking == "area" else None
        frame = read_frame(path, needed=needed, apply_orientation=apply_orientation)
        return self._estimate(frame)

    def estimate_image(
        self,
        image: image_pb2.Image,
        options: EstimateOptions,
        *,
        limits: ImageLimits,
        turn: AbstractContextManager[object] | None = None,
    ) -> Estimate:
        """Estimate the poses in an image of a request.

        `turn` is entered when the image is ready for the network, and left when the decoder has
        finished with the network's output. It may wait, or raise to stop the estimate. Raises
        `InvalidArgumentError` for an image that cannot be decoded and a region outside of it.
        """
        started = perf_counter()
        frame = frame_from_proto(image, limits=limits, region=options.region, needed=self._resized)
        decode_secs = perf_counter() - started
        estimate = self._estimate(frame, options, turn)
        return replace(estimate, times=replace(estimate.times, image_decode_secs=decode_secs))

    def estimate_pixels(
        self, pixels: NDArray[np.uint8], options: EstimateOptions, *, limits: ImageLimits
    ) -> Estimate:
        """Estimate the poses in an array of this process, as in a raw image of a request.

        `pixels`: BGR (height, width, 3), or grey (height, width). Raises `InvalidArgumentError`.
        """
        frame = frame_from_pixels(pixels, limits=limits, region=options.region)
        return self._estimate(frame, options)

    def warm_up(self, size: Size) -> None:
        """Run the network once, on a blank frame."""
        self.estimate(np.zeros((size.height, size.width, 3), np.uint8))

    def _estimate(
        self,
        frame: Frame,
        options: EstimateOptions | None = None,
        turn: AbstractContextManager[object] | None = None,
    ) -> Estimate:
        started = perf_counter()
        letterbox = Letterbox.for_frame(frame, self._geometry)
        pixels = letterbox.apply(frame.pixels)
        prepared = perf_counter()
        with turn or nullcontext(), self._runner.request() as infer:
            queued = perf_counter()
            output = infer(pixels)
            inferred = perf_counter()
            poses = self._decode(output, letterbox, options)
        times = StageTimes(
            letterbox_secs=prepared - started,
            queue_secs=queued - prepared,
            inference_secs=inferred - queued,
            grouping_secs=perf_counter() - inferred,
        )
        return Estimate(poses, times, Size(frame.width, frame.height))

    def _resized(self, frame: Size) -> Size:
        return Letterbox.fitting(frame, self._geometry).resized

    def _decode(
        self, output: NetworkOutput, letterbox: Letterbox, options: EstimateOptions | None
    ) -> FramePoses:
        """Decode, join duplicates, then apply the options, whose thresholds concern people."""
        is_reference = isinstance(self._decoder, ReferenceDecoder)
        found = self._decoder.decode(
            output.heatmaps,
            output.tags,
            max_poses=None if is_reference else _MAX_CANDIDATES,
            refine=options is None or options.refine,
        )
        height, width = output.heatmaps.shape[1:]
        poses = _map_to_frame(found, letterbox, Size(width, height))
        if not is_reference:
            poses = join_people(poses, self.skeleton.oks_sigmas)
        return poses if options is None else options.select(poses)


def _map_to_frame(poses: Poses, letterbox: Letterbox, heatmap: Size) -> FramePoses:
    keypoints = letterbox.frame_from_heatmap(poses.keypoints, heatmap)
    keypoints[poses.origins == _ABSENT] = 0
    return FramePoses(
        keypoints.astype(np.float32), poses.keypoint_scores, poses.origins, poses.scores
    )
