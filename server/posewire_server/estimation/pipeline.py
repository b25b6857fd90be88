"""From a frame to its poses: letterbox, inference, grouping, and back to the frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_decoder import (
    Decoder,
    DecoderOptions,
    PeopleDecoder,
    ReferenceDecoder,
    ReferenceOptions,
    SerializedPoses,
)
from posewire_server.estimation.body_colours import body_colours
from posewire_server.estimation.flip_test import FlipTest
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
ALL_POSES = EstimateOptions(max_poses=2**31 - 1)
"""Options of an estimate without thresholds and limits."""

Found = TypeVar("Found")
# Yields a function to call between runs of the network.
Turn: TypeAlias = AbstractContextManager[Callable[[], object]]


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
class Estimate(Generic[Found]):
    """The poses in a frame, the stage times and the size of the frame.

    `poses`: `FramePoses`, or `SerializedPoses`. Both have a length. `colours` (N, R, 4): those of
    `FramePoses`, if they are for tracking; see `body_colours`.
    """

    poses: Found
    times: StageTimes
    frame: Size
    colours: NDArray[np.float32] | None = None


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
        self._people = PeopleDecoder(decoder, oks_sigmas=skeleton.oks_sigmas)
        self._people_of_flip_test = PeopleDecoder(
            _for_flip_test(decoder), oks_sigmas=skeleton.oks_sigmas
        )
        is_reference = isinstance(decoder, ReferenceDecoder)
        delta_x = None if is_reference else decoder.options.delta[0]
        self._flip_test = FlipTest(skeleton.mirrored_keypoints, delta_x)
        self._geometry = geometry
        # Images that take much memory to decode are decoded one at a time.
        self._large_image = threading.Lock()

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

    def estimate(
        self, frame: NDArray[np.uint8], options: EstimateOptions | None = None
    ) -> Estimate[FramePoses]:
        """Estimate the poses in a BGR frame (height, width, 3); without options, all of them.

        `LocalEstimator` returns those that a server would.
        """
        return self._estimate(Frame.whole(frame), options or ALL_POSES, None, self._decode)

    def estimate_file(
        self, path: Path, *, apply_orientation: bool = True, flip_test: bool = False
    ) -> Estimate[FramePoses]:
        """Estimate all poses in an image file, decoded like those that clients send.

        `apply_orientation`: whether keypoints refer to the image as a viewer shows it, or as it is
        stored. `flip_test`: whether the network also runs on the mirrored image. With the geometry
        of the published recipes the file is decoded at full size, as their resize requires. Raises
        `ImageFileError` for a file that is not an image, and `OSError`.
        """
        needed = self._resized if self._geometry.shrinking == "area" else None
        frame = read_frame(path, needed=needed, apply_orientation=apply_orientation)
        options = replace(ALL_POSES, flip_test=flip_test)
        return self._estimate(frame, options, None, self._decode)

    def estimate_image(
        self,
        image: image_pb2.Image,
        options: EstimateOptions,
        *,
        limits: ImageLimits,
        turn: Turn | None = None,
    ) -> Estimate[FramePoses]:
        """Estimate the poses in an image of a request.

        `turn` is entered when the image is ready for the network, and left when the decoder has
        finished with the network's output. It may wait, or raise to stop the estimate, and so may
        the function that it yields, which is called between runs of the network. Raises
        `InvalidArgumentError` for an image that cannot be decoded and a region outside of it.
        """
        return self._estimate_image(image, options, limits, turn, self._decode)

    def estimate_to_bytes(
        self,
        image: image_pb2.Image,
        options: EstimateOptions,
        *,
        limits: ImageLimits,
        turn: Turn | None = None,
    ) -> Estimate[SerializedPoses]:
        """Estimate like `estimate_image`, and serialize the poses as `serialize_poses` does.

        Faster than in two steps, because both are one call without the GIL.
        """
        return self._estimate_image(image, options, limits, turn, self._decode_to_bytes)

    def estimate_pixels(
        self, pixels: NDArray[np.uint8], options: EstimateOptions, *, limits: ImageLimits
    ) -> Estimate[FramePoses]:
        """Estimate the poses in an array of this process, as in a raw image of a request.

        `pixels`: BGR (height, width, 3), or grey (height, width). Raises `InvalidArgumentError`.
        """
        frame = frame_from_pixels(pixels, limits=limits, region=options.region)
        return self._estimate(frame, options, None, self._decode)

    def warm_up(self, size: Size) -> None:
        """Run the network once, on a blank frame."""
        self.estimate(np.zeros((size.height, size.width, 3), np.uint8))

    def _estimate_image(
        self,
        image: image_pb2.Image,
        options: EstimateOptions,
        limits: ImageLimits,
        turn: Turn | None,
        decode: _Decode[Found],
    ) -> Estimate[Found]:
        started = perf_counter()
        frame = frame_from_proto(
            image,
            limits=limits,
            region=options.region,
            needed=self._resized,
            large=self._large_image,
        )
        decode_secs = perf_counter() - started
        return self._estimate(frame, options, turn, decode, image_decode_secs=decode_secs)

    def _estimate(
        self,
        frame: Frame,
        options: EstimateOptions,
        turn: Turn | None,
        decode: _Decode[Found],
        *,
        image_decode_secs: float | None = None,
    ) -> Estimate[Found]:
        started = perf_counter()
        letterbox = Letterbox.for_frame(frame, self._geometry)
        pixels = letterbox.apply(frame.pixels)
        prepared = perf_counter()
        with turn or nullcontext(_go_on) as check, self._runner.request() as infer:
            queued = perf_counter()
            if options.flip_test:
                output = self._flip_test.infer(infer, pixels, check=check)
            else:
                output = infer(pixels)
            inferred = perf_counter()
            poses = decode(output, letterbox, options)
        colours = None
        if options.for_tracking and isinstance(poses, FramePoses) and self.skeleton == COCO:
            colours = body_colours(pixels, letterbox.input_from_frame(poses.keypoints), poses)
        times = StageTimes(
            letterbox_secs=prepared - started,
            queue_secs=queued - prepared,
            inference_secs=inferred - queued,
            grouping_secs=perf_counter() - inferred,
            image_decode_secs=image_decode_secs,
        )
        return Estimate(poses, times, Size(frame.width, frame.height), colours)

    def _resized(self, frame: Size) -> Size:
        return Letterbox.fitting(frame, self._geometry).resized

    def _decode(
        self, output: NetworkOutput, letterbox: Letterbox, options: EstimateOptions
    ) -> FramePoses:
        arguments = _decode_arguments(output, letterbox, options)
        people = self._people_decoder(options)
        return FramePoses(*people.decode(output.heatmaps, output.tags, **arguments))

    def _decode_to_bytes(
        self, output: NetworkOutput, letterbox: Letterbox, options: EstimateOptions
    ) -> SerializedPoses:
        arguments = _decode_arguments(output, letterbox, options)
        people = self._people_decoder(options)
        return people.decode_to_bytes(output.heatmaps, output.tags, **arguments)

    def _people_decoder(self, options: EstimateOptions) -> PeopleDecoder:
        return self._people_of_flip_test if options.flip_test else self._people


_Decode = Callable[[NetworkOutput, Letterbox, EstimateOptions], Found]


def _go_on() -> None:
    """Let the network run again."""


def _for_flip_test(decoder: Decoder | ReferenceDecoder) -> Decoder | ReferenceDecoder:
    """Return the decoder of merged outputs, in which non-maxima are not suppressed."""
    if isinstance(decoder, ReferenceDecoder):
        return ReferenceDecoder(replace(decoder.options, nms="decoder"))
    return Decoder(replace(decoder.options, nms="decoder"))


def _decode_arguments(
    output: NetworkOutput, letterbox: Letterbox, options: EstimateOptions
) -> dict[str, Any]:
    """Return the keyword arguments of a `PeopleDecoder`."""
    height, width = output.heatmaps.shape[1:]
    return {
        "frame_from_heatmap": letterbox.frame_from_heatmap(Size(width, height)),
        "max_poses": options.max_poses,
        "min_pose_score": options.min_pose_score,
        "min_keypoint_score": options.min_keypoint_score,
        "refine": options.refine,
    }
