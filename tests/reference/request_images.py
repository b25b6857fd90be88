"""Images of requests."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from posewire.v1 import image_pb2


def encoded(data: bytes, **more: Any) -> image_pb2.Image:
    return image_pb2.Image(encoded=image_pb2.EncodedImage(data=data, **more))


def raw(
    data: bytes, width: int, height: int, pixel_format: Any = 1, **more: Any
) -> image_pb2.Image:
    return image_pb2.Image(
        raw=image_pb2.RawImage(
            data=data, width=width, height=height, pixel_format=pixel_format, **more
        )
    )


def jpeg(width: int = 64, height: int = 64) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()
