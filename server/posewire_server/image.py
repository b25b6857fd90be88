"""Images in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from posewire_server.encoded_image import decode_image
from posewire_server.errors import ImageError, InvalidImageError
from posewire_server.frame import Frame
from posewire_server.letterbox import Size


def read_frame(path: Path, *, needed: Callable[[Size], Size] | None = None) -> Frame:
    """The frame of an image that a client would send as the bytes of this file.

    `needed` is that of `frame_from_proto`. Raises `ImageError` for a file that is no image, and
    `OSError` for one that cannot be read.
    """
    try:
        decoded = decode_image(path.read_bytes(), limits=None, needed=needed)
    except InvalidImageError as error:
        raise ImageError(
            f"{path}: got {error.metadata['got']}, want {error.metadata['want']}"
        ) from error
    return Frame.whole(decoded.pixels, decoded.size, decoded.reduction)
