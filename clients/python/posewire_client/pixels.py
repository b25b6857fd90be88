"""Uncompressed images: arrays and Pillow's."""

from __future__ import annotations

import sys
from typing import Any, Literal, Protocol, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from posewire.v1 import image_pb2
from posewire_client.errors import UnsuitableImageError

Color: TypeAlias = Literal["bgr", "rgb"]


class PillowImage(Protocol):
    """An image of Pillow, which is not a dependency."""

    @property
    def mode(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    def convert(self, mode: str) -> PillowImage: ...
    def tobytes(self) -> bytes: ...


PixelInput: TypeAlias = "NDArray[np.uint8] | PillowImage"

EXPECTED = (
    "expected a uint8 array (height, width), (height, width, 1), (height, width, 3) or (height, "
    "width, 4), an image of Pillow, or the bytes or the path of an image file"
)

_ARRAY_FORMATS: dict[tuple[int, str], image_pb2.PixelFormat] = {
    (1, "bgr"): image_pb2.PIXEL_FORMAT_GRAY8,
    (1, "rgb"): image_pb2.PIXEL_FORMAT_GRAY8,
    (3, "bgr"): image_pb2.PIXEL_FORMAT_BGR8,
    (3, "rgb"): image_pb2.PIXEL_FORMAT_RGB8,
    (4, "bgr"): image_pb2.PIXEL_FORMAT_BGRA8,
    (4, "rgb"): image_pb2.PIXEL_FORMAT_RGBA8,
}
_PILLOW_FORMATS: dict[str, image_pb2.PixelFormat] = {
    "L": image_pb2.PIXEL_FORMAT_GRAY8,
    "RGB": image_pb2.PIXEL_FORMAT_RGB8,
    "RGBA": image_pb2.PIXEL_FORMAT_RGBA8,
}
# Of more than 8 bits a channel: what is black and what is white, only the caller knows.
_DEEP_PILLOW_MODES = ("I", "F")


def check_color(color: str) -> None:
    """Raise ValueError unless the order of the channels is a known one."""
    if color not in ("bgr", "rgb"):
        raise ValueError(f"color: got {color!r}, want 'bgr' or 'rgb'")


def is_pixels(image: object) -> TypeGuard[PixelInput]:
    """Whether the image is an array or an image of Pillow."""
    return isinstance(image, np.ndarray) or _is_pillow(image)


def write_pixels(raw: image_pb2.RawImage, image: PixelInput, *, color: Color) -> int:
    """Write the pixels with a single copy and return their size in bytes.

    `color`: the order of an array's channels. Raises UnsuitableImageError.
    """
    if isinstance(image, np.ndarray):
        raw.pixel_format = _ARRAY_FORMATS[_channels(image), color]
        raw.height, raw.width = image.shape[:2]
    else:
        image = _with_sendable_mode(image)
        raw.pixel_format = _PILLOW_FORMATS[image.mode]
        raw.width, raw.height = image.size
    data = image.tobytes()  # in C order, whatever the strides
    raw.data = data
    return len(data)


def bgr_pixels(image: PixelInput, *, color: Color) -> NDArray[np.uint8]:
    """Return a contiguous copy (height, width, 3) in BGR order; see `write_pixels`."""
    if not isinstance(image, np.ndarray):
        rgb: Any = _with_sendable_mode(image).convert("RGB")
        return np.ascontiguousarray(np.asarray(rgb)[..., ::-1])
    channels = _channels(image)
    if channels == 1:
        return np.repeat(image.reshape(*image.shape[:2], 1), 3, axis=2)
    return np.array(as_bgr(image, color=color)[..., :3], order="C")


def as_bgr(image: NDArray[np.uint8], *, color: Color) -> NDArray[np.uint8]:
    """Return the array, or a view of it in BGR order without alpha."""
    is_colour = image.ndim == 3 and image.shape[2] >= 3
    return image[..., 2::-1] if is_colour and color == "rgb" else image


def _channels(pixels: NDArray[Any]) -> int:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise UnsuitableImageError(f"{_described(pixels)}; {EXPECTED}{_advice(pixels)}")
    if pixels.size == 0:
        raise UnsuitableImageError(f"{_described(pixels)}, which is empty; {EXPECTED}")
    return channels


def _described(pixels: NDArray[Any]) -> str:
    return f"the image is an array of {pixels.dtype} with shape {pixels.shape}"


def _advice(pixels: NDArray[Any]) -> str:
    if pixels.dtype == np.uint16:
        return ". Reduce it to 8 bits, for 16 significant bits by (image >> 8).astype(np.uint8)"
    if np.issubdtype(pixels.dtype, np.floating):
        return ". Scale it, from 0 to 1 by (255 * image).astype(np.uint8)"
    if pixels.ndim == 3 and pixels.shape[0] in (1, 3, 4):
        return ". Put the channels last, by image.transpose(1, 2, 0)"
    return ""


def _is_pillow(image: object) -> bool:
    # Whoever has an image of Pillow has imported it.
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(image, pillow.Image)


def _with_sendable_mode(image: PillowImage) -> PillowImage:
    if 0 in image.size:
        raise UnsuitableImageError(f"the image of Pillow is empty, of size {image.size}")
    if image.mode.partition(";")[0] in _DEEP_PILLOW_MODES:
        raise UnsuitableImageError(
            f"the image of Pillow has the mode {image.mode}; expected 8 bits per channel: scale it "
            "and convert it to L"
        )
    return image if image.mode in _PILLOW_FORMATS else image.convert("RGB")
