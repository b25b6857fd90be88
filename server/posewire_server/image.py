"""Images in files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_server.errors import ImageError


def read_image(path: Path) -> NDArray[np.uint8]:
    """The pixels (height, width, 3) as stored, channels B, G, R.

    An orientation noted in the file is not applied, as the contract has it. Raises `ImageError` for
    a file that is no image, and `OSError` for one that cannot be read.
    """
    content = np.frombuffer(path.read_bytes(), np.uint8)
    try:
        image = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(f"{path}: got {content.size} bytes that are no image, want JPEG, PNG, ...")
    return image.astype(np.uint8, copy=False)
