from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.webp import bare_webp
from tests.reference.image_files import encoded, riff_chunk, webp_file

BASE = np.random.default_rng(0).integers(0, 256, (20, 30, 4), dtype=np.uint8)
CLEAR = cv2.resize(BASE, (301, 203), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
LOSSY = (cv2.IMWRITE_WEBP_QUALITY, 80)


def as_opencv_decodes(content: bytes) -> NDArray[np.generic]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels


@pytest.mark.parametrize("options", [(), LOSSY], ids=["lossless", "lossy"])
@pytest.mark.parametrize("channels", [3, 4])
def test_the_bare_frame_has_the_pixels_that_opencv_finds(
    channels: int, options: tuple[int, ...]
) -> None:
    content = encoded(CLEAR[..., :channels], ".webp", *options)
    assert (content[12:16] == b"VP8X") == (channels == 4 and options == LOSSY)
    np.testing.assert_array_equal(
        decode_image(content, limits=None).pixels, as_opencv_decodes(content)
    )


def test_metadata_is_left_out() -> None:
    content = encoded(CLEAR, ".webp", *LOSSY)
    described = webp_file(
        content[12:30]  # VP8X
        + riff_chunk(b"ICCP", bytes(99))
        + content[30:]
        + riff_chunk(b"EXIF", bytes(99))
    )
    assert bare_webp(described) == bare_webp(content)
    np.testing.assert_array_equal(
        decode_image(described, limits=None).pixels, as_opencv_decodes(content)
    )


def test_the_smallest_file() -> None:
    content = encoded(np.full((1, 1, 3), 200, np.uint8), ".webp")
    assert decode_image(content, limits=None).pixels.tolist() == [[[200] * 3]]


def test_a_frame_that_ends_early_is_refused() -> None:
    content = encoded(CLEAR, ".webp", *LOSSY)
    cut = webp_file(content[12:-10])
    with pytest.raises(InvalidImageError, match="bytes of a WebP of at least"):
        decode_image(cut, limits=None)
