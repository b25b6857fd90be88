"""Images in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire_server.encoded_image import decode_image
from posewire_server.errors import ImageError, InvalidImageError


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels (height, width, 3) as stored, channels B, G, R, as the server decodes them.

    Raises `ImageError` for a file that is no image, and `OSError` for one that cannot be read.
    """
    try:
        return decode_image(path.read_bytes(), limits=None).pixels
    except InvalidImageError as error:
        raise ImageError(
            f"{path}: got {error.metadata['got']}, want {error.metadata['want']}"
        ) from error
