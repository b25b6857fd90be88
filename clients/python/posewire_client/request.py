"""Build requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import numpy as np

from posewire.v1 import estimate_pb2, pose_pb2, pose_service_pb2, stream_pb2
from posewire_client.checks import check_age, check_count
from posewire_client.image import ImageInput, is_by_path, write_image
from posewire_client.options import (
    Delivery,
    EstimateOptions,
    SmoothingOptions,
    region_box,
)
from posewire_client.pixels import Color, as_bgr, check_color
from posewire_client.pose import Box

_POLICIES = {
    Delivery.LOSSLESS: stream_pb2.DELIVERY_POLICY_IN_ORDER_LOSSLESS,
    Delivery.LATEST: stream_pb2.DELIVERY_POLICY_LATEST,
}


@dataclass(frozen=True, slots=True, eq=False)
class TimedImage:
    """An image and its capture time, in seconds on any monotonic clock.

    Tracking and smoothing use the times. Set them on all frames of a stream or on none.
    """

    image: ImageInput
    capture_time_secs: float


FrameInput: TypeAlias = "ImageInput | TimedImage"


@dataclass(frozen=True, slots=True, eq=False)
class FrameRequest:
    """A frame to send, still without its frame_id, and the size of its image.

    `kept` is what its result keeps of the image, if anything.
    """

    message: pose_service_pb2.StreamPosesRequest
    image_bytes: int
    kept: ImageInput | None = None


def estimate_request(
    image: ImageInput, *, model: str, options: EstimateOptions | None, color: Color = "bgr"
) -> pose_service_pb2.EstimatePosesRequest:
    """Build the request; raises UnsuitableImageError, or OSError for an unreadable file."""
    check_color(color)
    request = pose_service_pb2.EstimatePosesRequest(model=model, options=_options(options))
    write_image(request.image, image, color=color)
    return request


def stream_config(
    *,
    model: str,
    options: EstimateOptions | None,
    delivery: Delivery,
    window: int | None,
    max_frame_age_secs: float | None,
    track: bool,
    smoothing: bool,
    smoothing_options: SmoothingOptions | None = None,
) -> stream_pb2.StreamConfig:
    """Build the first message of a stream; raises TypeError and ValueError for the arguments."""
    if not isinstance(delivery, Delivery):
        raise TypeError(f"delivery: got {delivery!r}, want Delivery.LOSSLESS or Delivery.LATEST")
    check_count("window", window)
    check_age("max_frame_age_secs", max_frame_age_secs)
    if max_frame_age_secs is not None and delivery is not Delivery.LATEST:
        raise ValueError(f"max_frame_age_secs: got {delivery}, want it with Delivery.LATEST only")
    config = stream_pb2.StreamConfig(
        model=model,
        options=_options(options),
        delivery_policy=_POLICIES[delivery],
        max_frames_in_flight=window,
        track=track,
        smoothing=smoothing,
        smoothing_options=_smoothing_options(smoothing_options),
    )
    if max_frame_age_secs is not None:
        config.max_frame_age.FromTimedelta(timedelta(seconds=max_frame_age_secs))
    return config


def frame_request(
    frame: FrameInput, *, color: Color = "bgr", keep_image: bool = False
) -> FrameRequest:
    """Build a frame; raises UnsuitableImageError, or OSError for an unreadable file."""
    message = pose_service_pb2.StreamPosesRequest()
    # Written in place, because assigning a message copies all its bytes.
    image = frame.image if isinstance(frame, TimedImage) else frame
    if isinstance(frame, TimedImage):
        message.frame.capture_time.FromNanoseconds(round(frame.capture_time_secs * 1e9))
    image_bytes = write_image(message.frame.image, image, color=color)
    return FrameRequest(message, image_bytes, kept_image(image, color=color, keep=keep_image))


def frame_builder(*, color: Color, keep_images: bool) -> Callable[[FrameInput], FrameRequest]:
    """Return `frame_request` for the frames of one stream; raises ValueError."""
    check_color(color)
    return partial(frame_request, color=color, keep_image=keep_images)


def kept_image(image: ImageInput, *, color: Color = "bgr", keep: bool = False) -> ImageInput | None:
    """Return what a result keeps of its image: a path, which takes no memory, or all if `keep`."""
    if not keep and not is_by_path(image):
        return None
    return as_bgr(image, color=color) if isinstance(image, np.ndarray) else image


def _options(options: EstimateOptions | None) -> estimate_pb2.EstimateOptions | None:
    if options is None:
        return None
    if not isinstance(options, EstimateOptions):
        raise TypeError(f"options: got {options!r}, want EstimateOptions")
    message = estimate_pb2.EstimateOptions()
    for name in ("max_poses", "min_pose_score", "min_keypoint_score", "refine", "flip_test"):
        value = getattr(options, name)
        if value is not None:
            setattr(message, name, value)
    if options.region_of_interest is not None:
        message.region_of_interest.CopyFrom(_box(region_box(options.region_of_interest)))
    return message


def _smoothing_options(options: SmoothingOptions | None) -> stream_pb2.SmoothingOptions | None:
    if options is None:
        return None
    if not isinstance(options, SmoothingOptions):
        raise TypeError(f"smoothing_options: got {options!r}, want SmoothingOptions")
    message = stream_pb2.SmoothingOptions(
        min_cutoff_hz=options.min_cutoff_hz,
        cutoff_per_speed=options.cutoff_per_speed,
        speed_cutoff_hz=options.speed_cutoff_hz,
    )
    if options.max_gap_secs is not None:
        message.max_gap.FromTimedelta(timedelta(seconds=options.max_gap_secs))
    return message


def _box(box: Box) -> pose_pb2.Box:
    return pose_pb2.Box(x_min=box.x_min, y_min=box.y_min, x_max=box.x_max, y_max=box.y_max)
