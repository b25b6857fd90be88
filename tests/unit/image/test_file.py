from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posewire_server.image.errors import ImageFileError
from posewire_server.image.file import read_frame
from tests.reference.image_files import encoded, stored, with_orientation

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)


def test_pixels_are_read_as_a_viewer_shows_them_or_as_they_are_stored(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(with_orientation(encoded(stored(PIXELS, 6), ".png"), 6))
    np.testing.assert_array_equal(read_frame(path).oriented_pixels(), PIXELS)
    as_stored = read_frame(path, apply_orientation=False)
    assert (as_stored.width, as_stored.height) == (7, 9)
    np.testing.assert_array_equal(as_stored.oriented_pixels(), stored(PIXELS, 6))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "got no bytes, want an image file"),
        (b"GIF89a", "got a file that begins like GIF, want a JPEG, PNG, WebP or BMP file"),
        (encoded(PIXELS, ".jpg")[:-9], "without an end-of-image marker, want the whole file"),
    ],
    ids=["empty", "gif", "truncated"],
)
def test_files_without_an_image_are_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageFileError) as caught:
        read_frame(path)
    assert str(caught.value).startswith(f"{path}: got ")
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_frame(tmp_path / "image.jpg")
