"""A frame's way through the network: letterbox, inference, grouping, and back to the frame."""

from __future__ import annotations

from asyncio import wrap_future
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_decoder import Decoder, DecoderOptions, Origin, Poses
from posewire_server.duplicates import joined
from posewire_server.estimate_options import EstimateOptions
from posewire_server.frame import Frame, frame_from_proto
from posewire_server.frame_poses import FramePoses
from posewire_server.image import read_frame
from posewire_server.image_limits import ImageLimits
from posewire_server.letterbox import InputGeometry, Letterbox, Size
from posewire_server.models.installed import InstalledModel
from posewire_server.models.network import read_network
from posewire_server.runner import NetworkOutput, OpenVinoRunner, Runner, RunnerOptions
from posewire_server.skeleton import COCO, Skeleton

# Enough to keep one network busy: a 1080p JPEG takes 6 to 12 ms of a thread.
_IMAGE_THREADS = 2
# Duplicates are sought among so many, the best: the time for that grows with their square, to some
# 5 ms if all lie on each other and few are alike. A picture of 60 people had 136 candidates.
_MOST_CANDIDATES = 300


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


@dataclass(frozen=True, slots=True, eq=False)
class _NetworkInput:
    """A frame made ready for the network."""

    pixels: NDArray[np.uint8]
    letterbox: Letterbox
    frame: Size
    letterbox_secs: float
    image_decode_secs: float | None = None
    queue_secs: float = 0.0


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
        self._workers = ThreadPoolExecutor(_IMAGE_THREADS, thread_name_prefix="image")

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
        return self.capacity + _IMAGE_THREADS

    def input_size(self, frame: Size) -> Size:
        """The size of the network's input for a frame of that size."""
        return Letterbox.fitting(frame, self._geometry).input

    def estimate(self, frame: NDArray[np.uint8]) -> Estimate:
        """All poses in a BGR frame (height, width, 3), whatever their scores."""
        return self._submit(self._boxed(Frame.whole(frame)), None).result()

    def estimate_file(self, path: Path) -> Estimate:
        """All poses in an image file, decoded as those that clients send.

        With the published recipes' geometry it is decoded whole: their resize starts from there.
        Raises `ImageError` for a file that is no image, and `OSError`.
        """
        needed = self._resized if self._geometry.shrinking == "area" else None
        return self._submit(self._boxed(read_frame(path, needed=needed)), None).result()

    async def estimate_image(
        self, image: image_pb2.Image, options: EstimateOptions, *, limits: ImageLimits
    ) -> Estimate:
        """The poses in an image of a request.

        Who is cancelled before a stage begins costs nothing from that stage on. Raises
        `RequestError` for an image that cannot be read and a region that is not in it.
        """
        prepared = self._workers.submit(self._prepared, image, options, limits, perf_counter())
        return await wrap_future(self._submit(await wrap_future(prepared), options))

    def warm_up(self, size: Size) -> None:
        """One run on a blank frame."""
        self.estimate(np.zeros((size.height, size.width, 3), np.uint8))

    def close(self) -> None:
        """Waits for what runs and cancels what waits."""
        self._workers.shutdown(cancel_futures=True)
        self._runner.close()

    def _prepared(
        self,
        image: image_pb2.Image,
        options: EstimateOptions,
        limits: ImageLimits,
        submitted: float,
    ) -> _NetworkInput:
        start = perf_counter()
        frame = frame_from_proto(image, limits=limits, region=options.region, needed=self._resized)
        decoded = perf_counter()
        return replace(
            self._boxed(frame), image_decode_secs=decoded - start, queue_secs=start - submitted
        )

    def _resized(self, frame: Size) -> Size:
        return Letterbox.fitting(frame, self._geometry).resized

    def _boxed(self, frame: Frame) -> _NetworkInput:
        start = perf_counter()
        letterbox = frame.letterbox(self._geometry)
        pixels = letterbox.apply(frame.pixels)
        size = Size(frame.width, frame.height)
        return _NetworkInput(pixels, letterbox, size, perf_counter() - start)

    def _submit(self, given: _NetworkInput, options: EstimateOptions | None) -> Future[Estimate]:
        submitted = perf_counter()

        def finish(output: NetworkOutput) -> Estimate:
            inferred = perf_counter()
            poses = self._poses(output, given.letterbox, options)
            times = StageTimes(
                letterbox_secs=given.letterbox_secs,
                inference_secs=output.inference_secs,
                grouping_secs=perf_counter() - inferred,
                image_decode_secs=given.image_decode_secs,
                queue_secs=given.queue_secs + inferred - submitted - output.inference_secs,
            )
            return Estimate(poses, times, given.frame)

        return self._runner.submit(given.pixels, finish)

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
    keypoints[poses.origins == Origin.ABSENT] = 0
    return FramePoses(
        keypoints.astype(np.float32), poses.keypoint_scores, poses.origins, poses.scores
    )
