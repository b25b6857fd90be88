"""Frames that encode their number: the runner finds a person at a place that depends on it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from tests.reference.colour_network import person_at

SIDE = 128
_PLACES = 60
_PATIENCE_SECS = 20

# The number of the frame that `holding` waits with.
HELD = 59


def numbered_image(number: int) -> image_pb2.Image:
    """A small grey image whose brightness is the number."""
    return image_pb2.Image(
        raw=image_pb2.RawImage(
            data=bytes([number % _PLACES]) * SIDE * SIDE,
            width=SIDE,
            height=SIDE,
            pixel_format=image_pb2.PIXEL_FORMAT_GRAY8,
        )
    )


def frame_request(number: int, image: image_pb2.Image | None = None) -> StreamPosesRequest:
    """A frame with this number as its content and its frame_id."""
    return StreamPosesRequest(
        frame=stream_pb2.Frame(frame_id=number, image=image or numbered_image(number))
    )


def person_of(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The keypoints of the person that the runner finds."""
    return person_at(10 + float(image[SIDE // 2, SIDE // 2, 0]), 20, 10)[None]


def is_answer_to(number: int, x_of_first_keypoint: float) -> bool:
    return abs(x_of_first_keypoint - 10 - number % _PLACES) < 0.5


def holding(
    released: threading.Event,
) -> Callable[[NDArray[np.uint8]], NDArray[np.float64]]:
    """Return a `person_of` that finishes frames with the number `HELD` only when released."""

    def see(image: NDArray[np.uint8]) -> NDArray[np.float64]:
        if image[SIDE // 2, SIDE // 2, 0] == HELD:
            released.wait(_PATIENCE_SECS)
        return person_of(image)

    return see
