"""A frame's way through the network: letterbox, inference, grouping, and back to the frame."""

from __future__ import annotations

from asyncio import wrap_future
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_decoder import Decoder, DecoderOptions, Origin, Poses
from posewire_server.estimation.duplicates import joined
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.letterbox import Letterbox
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.runner import NetworkOutput, OpenVinoRunner, Runner, RunnerOptions
from posewire_server.geometry import InputGeometry, Size
from posewire_server.image.file import read_frame
from posewire_server.image.frame import Frame, frame_from_proto
from posewire_server.image.limits import ImageLimits
from posewire_server.models.installed import InstalledModel
from posewire_server.models.network import read_network
from posewire_server.skeleton import COCO, Skeleton

# Images that are made ready while the network runs others. Enough to keep it busy: a 1080p JPEG
# takes 6 to 12 ms of a thread.
_AHEAD = 2
# Duplicates are sought among so many, the best: the time for that grows with their square, to some
# 5 ms if all lie on each other and few are alike. A picture of 60 people had 136 candidates.
_MOST_CANDIDATES = 300
_ABSENT = np.uint8(Origin.ABSENT)  # an array takes five times as long to compare with an enum


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long each stage took; the way back to the frame counts as grouping.

    `image_decode_secs` is None where the frame came as pixels of this process, and `queue_secs` is
    the time spent waiting for a free worker.
    """

    letterbox_secs: float
    inference_secs: float
    grouping_secs: float
    image_decode_secs: float | None = None
    queue_secs: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The poses in a frame of that size, and how long it took to find them."""

    poses: FramePoses
    times: StageTimes
    frame: Size


class Pipeline:
    """One model's way from frames to poses; any number of threads may use it.

    `decoder` has the model's delta. If it decodes as the reference does, which knows no duplicates,
    people may occur twice.
    """

    def __init__(
        self,
        runner: Runner,
        decoder: Decoder,
        geometry: InputGeometry,
        *,
        skeleton: Skeleton = COCO,
    ) -> None:
        self.skeleton = skeleton
        self._runner = runner
        self._decoder = decoder
        self._geometry = geometry
        # A frame stays in its thread: every hop to another costs the wake-up of a processor.
        self._workers = ThreadPoolExecutor(self.useful_depth, thread_name_prefix="frame")

    @classmethod
    def for_model(
        cls,
        model: InstalledModel,
        options: RunnerOptions | None = None,
        *,
        reference: bool = False,
    ) -> Pipeline:
        """`reference`: as Open Model Zoo's accuracy checker resizes and decodes.

        The way back to the frame stays exact, where the checker's is off by up to half a pixel.
        """
        geometry = replace(model.geometry, shrinking="linear") if reference else model.geometry
        decoder = Decoder(DecoderOptions(delta=model.delta, reference=reference))
        return cls(OpenVinoRunner(read_network(model.path), options), decoder, geometry)

    @property
    def capacity(self) -> int:
        """How many images the network takes at the same time."""
        return self._runner.capacity

    @property
    def useful_depth(self) -> int:
        """How many images have to be at work so that the network need not wait for the next."""
        return self.capacity + _AHEAD

    def input_size(self, frame: Size) -> Size:
        """The size of the network's input for a frame of that size."""
        return Letterbox.fitting(frame, self._geometry).input

    def estimate(self, frame: NDArray[np.uint8]) -> Estimate:
        """All poses in a BGR frame (height, width, 3), whatever their scores."""
        return self._estimated(Frame.whole(frame))

    def estimate_file(self, path: Path) -> Estimate:
        """All poses in an image file, decoded as those that clients send.

        With the published recipes' geometry it is decoded whole: their resize starts from there.
        Raises `ImageError` for a file that is no image, and `OSError`.
        """
        needed = self._resized if self._geometry.shrinking == "area" else None
        return self._estimated(read_frame(path, needed=needed))

    async def estimate_image(
        self, image: image_pb2.Image, options: EstimateOptions, *, limits: ImageLimits
    ) -> Estimate:
        """The poses in an image of a request.

        Who is cancelled before the image is decoded, or before the network runs, costs nothing
        from there on. Raises `RequestError` for an image that cannot be read and a region that is
        not in it.
        """
        abandoned = Event()
        work = self._workers.submit(
            self._estimated_image, image, options, limits, perf_counter(), abandoned
        )
        try:
            return await wrap_future(work)
        finally:
            abandoned.set()

    def warm_up(self, size: Size) -> None:
        """One run on a blank frame."""
        self.estimate(np.zeros((size.height, size.width, 3), np.uint8))

    def close(self) -> None:
        """Waits for the images that have a thread and cancels those that wait for one."""
        self._workers.shutdown(cancel_futures=True)

    def _estimated_image(
        self,
        image: image_pb2.Image,
        options: EstimateOptions,
        limits: ImageLimits,
        submitted: float,
        abandoned: Event,
    ) -> Estimate:
        begun = perf_counter()
        frame = frame_from_proto(image, limits=limits, region=options.region, needed=self._resized)
        decoded = perf_counter()
        estimate = self._estimated(frame, options, abandoned)
        times = replace(
            estimate.times,
            image_decode_secs=decoded - begun,
            queue_secs=estimate.times.queue_secs + begun - submitted,
        )
        return replace(estimate, times=times)

    def _estimated(
        self,
        frame: Frame,
        options: EstimateOptions | None = None,
        abandoned: Event | None = None,
    ) -> Estimate:
        begun = perf_counter()
        letterbox = Letterbox.for_frame(frame, self._geometry)
        pixels = letterbox.apply(frame.pixels)
        boxed = perf_counter()
        with self._runner.request() as infer:
            if abandoned is not None and abandoned.is_set():
                raise CancelledError
            queued = perf_counter()
            output = infer(pixels)
            inferred = perf_counter()
            poses = self._poses(output, letterbox, options)
        times = StageTimes(
            letterbox_secs=boxed - begun,
            queue_secs=queued - boxed,
            inference_secs=inferred - queued,
            grouping_secs=perf_counter() - inferred,
        )
        return Estimate(poses, times, Size(frame.width, frame.height))

    def _resized(self, frame: Size) -> Size:
        return Letterbox.fitting(frame, self._geometry).resized

    def _poses(
        self, output: NetworkOutput, letterbox: Letterbox, options: EstimateOptions | None
    ) -> FramePoses:
        """The options' thresholds hold for people, so they come after the decoder and joining."""
        is_reference = self._decoder.options.reference
        found = self._decoder.decode(
            output.heatmaps,
            output.tags,
            max_poses=None if is_reference else _MOST_CANDIDATES,
            refine=options is None or options.refine,
        )
        height, width = output.heatmaps.shape[1:]
        poses = _in_frame(found, letterbox, Size(width, height))
        if not is_reference:
            poses = joined(poses, self.skeleton.oks_sigmas)
        return poses if options is None else options.wanted(poses)


def _in_frame(poses: Poses, letterbox: Letterbox, heatmap: Size) -> FramePoses:
    keypoints = letterbox.frame_from_heatmap(poses.keypoints, heatmap)
    keypoints[poses.origins == _ABSENT] = 0
    return FramePoses(
        keypoints.astype(np.float32), poses.keypoint_scores, poses.origins, poses.scores
    )
