from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError

FILES = sorted((Path(__file__).parents[2] / "golden" / "images").iterdir())
REFUSED = [path for path in FILES if path.name.startswith("refused_")]


def named(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", [path for path in FILES if path not in REFUSED], ids=named)
def test_what_is_decoded_has_the_pixels_that_opencv_finds(path: Path) -> None:
    content = path.read_bytes()
    data = np.frombuffer(content.ljust(32, b"\0"), np.uint8)
    wanted = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert wanted is not None
    np.testing.assert_array_equal(decode_image(content, limits=None).pixels, wanted)


@pytest.mark.parametrize("path", REFUSED, ids=named)
def test_what_is_refused(path: Path) -> None:
    with pytest.raises(InvalidImageError) as caught:
        decode_image(path.read_bytes(), limits=None)
    assert caught.value.reason == "IMAGE_UNDECODABLE"
