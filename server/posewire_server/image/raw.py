"""Converts raw pixels to BGR."""

from __future__ import annotations

from typing import NoReturn

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.limits import ImageLimits

_BYTES_PER_PIXEL: dict[int, int] = {
    image_pb2.PIXEL_FORMAT_BGR8: 3,
    image_pb2.PIXEL_FORMAT_RGB8: 3,
    image_pb2.PIXEL_FORMAT_GRAY8: 1,
    image_pb2.PIXEL_FORMAT_BGRA8: 4,
    image_pb2.PIXEL_FORMAT_RGBA8: 4,
    image_pb2.PIXEL_FORMAT_NV12: 1,  # of the luma plane
    image_pb2.PIXEL_FORMAT_I420: 1,
}
_SUBSAMPLED = (image_pb2.PIXEL_FORMAT_NV12, image_pb2.PIXEL_FORMAT_I420)
_TO_BGR: dict[int, int] = {
    image_pb2.PIXEL_FORMAT_RGB8: cv2.COLOR_RGB2BGR,
    image_pb2.PIXEL_FORMAT_GRAY8: cv2.COLOR_GRAY2BGR,
    image_pb2.PIXEL_FORMAT_BGRA8: cv2.COLOR_BGRA2BGR,
    image_pb2.PIXEL_FORMAT_RGBA8: cv2.COLOR_RGBA2BGR,
    # OpenCV reads them as BT.601 in the limited range, like the contract.
    image_pb2.PIXEL_FORMAT_NV12: cv2.COLOR_YUV2BGR_NV12,
    image_pb2.PIXEL_FORMAT_I420: cv2.COLOR_YUV2BGR_I420,
}


def raw_pixels(image: image_pb2.RawImage, *, limits: ImageLimits) -> NDArray[np.uint8]:
    """Return the pixels (height, width, 3), channels B, G, R; raises `InvalidImageError`.

    Those of BGR8 are the bytes as sent, read-only and with their row stride.
    """
    data = image.data  # once: each access copies
    if not data:
        _refuse("data", got="no bytes", want="the pixels")
    limits.check_bytes("image.raw.data", data)
    subsampled = _is_subsampled(image.pixel_format)
    size = _size(image, limits, subsampled=subsampled)
    stride = _stride(image, subsampled=subsampled)
    rows = size.height * 3 // 2 if subsampled else size.height
    if len(data) != stride * rows:
        _refuse("data", got=f"{len(data)} bytes", want=f"{stride} x {rows} = {stride * rows}")
    return _to_bgr(image.pixel_format, _planes(image.pixel_format, data, size, stride))


def _is_subsampled(pixel_format: int) -> bool:
    if pixel_format not in _BYTES_PER_PIXEL:
        names = ", ".join(
            image_pb2.PixelFormat.Name(known).removeprefix("PIXEL_FORMAT_")
            for known in image_pb2.PixelFormat.values()
            if known in _BYTES_PER_PIXEL
        )
        unset = pixel_format == image_pb2.PIXEL_FORMAT_UNSPECIFIED
        _refuse("pixel_format", got="none" if unset else str(pixel_format), want=f"one of {names}")
    return pixel_format in _SUBSAMPLED


def _size(image: image_pb2.RawImage, limits: ImageLimits, *, subsampled: bool) -> Size:
    size = Size(image.width, image.height)
    for field, side in zip(size._fields, size, strict=True):
        if side < 1:
            _refuse(field, got=str(side), want="at least 1")
        if subsampled and side % 2:
            _refuse(field, got=str(side), want="an even number for NV12 and I420")
    limits.check_size("image.raw", size)
    return size


def _stride(image: image_pb2.RawImage, *, subsampled: bool) -> int:
    least = image.width * _BYTES_PER_PIXEL[image.pixel_format]
    if not image.HasField("row_stride_bytes"):
        return least
    stride = image.row_stride_bytes
    if stride < least:
        _refuse("row_stride_bytes", got=str(stride), want=f"at least a row's {least} bytes")
    if subsampled and stride % 2:
        _refuse("row_stride_bytes", got=str(stride), want="an even number for NV12 and I420")
    return stride


def _planes(pixel_format: int, data: bytes, size: Size, stride: int) -> NDArray[np.uint8]:
    """View the data as OpenCV wants it: (height, width, channels), 4:2:0 (1.5 height, width).

    Only padded I420 is copied, because OpenCV wants its chroma planes unpadded.
    """
    if pixel_format not in _SUBSAMPLED:
        channels = _BYTES_PER_PIXEL[pixel_format]
        packed = (size.height, size.width, channels)
        return np.ndarray(packed, np.uint8, data, strides=(stride, channels, 1))
    if pixel_format == image_pb2.PIXEL_FORMAT_NV12 or stride == size.width:
        both = (size.height * 3 // 2, size.width)
        return np.ndarray(both, np.uint8, data, strides=(stride, 1))
    luma = np.ndarray(size[::-1], np.uint8, data, strides=(stride, 1))
    u_above_v = (size.height, size.width // 2)
    chroma = np.ndarray(u_above_v, np.uint8, data, stride * size.height, (stride // 2, 1))
    return np.concatenate([luma, chroma.reshape(-1, size.width)])


def _to_bgr(pixel_format: int, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pixel_format == image_pb2.PIXEL_FORMAT_BGR8:
        return pixels
    return cv2.cvtColor(pixels, _TO_BGR[pixel_format]).astype(np.uint8, copy=False)


def _refuse(field: str, *, got: str, want: str) -> NoReturn:
    raise InvalidImageError(f"image.raw.{field}", "IMAGE_INVALID", got=got, want=want)
