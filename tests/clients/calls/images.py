"""The image files that the call table names."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_server.sample import CLIP, STILL
from tests.reference.image_files import encoded, stored, with_orientation

# Limits of the server, and files that break them.
MAX_IMAGE_BYTES = 600_000
MAX_IMAGE_PIXELS = 250_000
_GRPC_LIMIT_BYTES = MAX_IMAGE_BYTES + (1 << 16)

_GOLDEN = Path(__file__).parents[2] / "golden" / "images"
_CLIP_FRAMES = 3
_ROW_PADDING_BYTES = 64


def write_images(folder: Path) -> None:
    """Write all files of the table into the folder."""
    for path in _GOLDEN.iterdir():
        shutil.copy(path, folder)
    pixels = cv2.imread(str(STILL))
    assert pixels is not None
    people = pixels.astype(np.uint8)
    files = {
        "people.jpg": STILL.read_bytes(),
        **_people_in_all_formats(people),
        **_turned_people(people),
        **_raw_people(people),
        **_clip(),
        **_unusual_files(STILL.read_bytes()),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _people_in_all_formats(people: NDArray[np.uint8]) -> dict[str, bytes]:
    grey = cv2.cvtColor(people, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    return {
        "people_progressive.jpg": encoded(people, ".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "people_grey.jpg": encoded(grey, ".jpg"),
        "people.png": encoded(people, ".png"),
        "people_16.png": encoded(people.astype(np.uint16) * 257, ".png"),
        "people.webp": encoded(people, ".webp", cv2.IMWRITE_WEBP_QUALITY, 101),  # lossless
        "people_lossy.webp": encoded(people, ".webp", cv2.IMWRITE_WEBP_QUALITY, 90),
        "people.bmp": encoded(people, ".bmp"),
    }


def _turned_people(people: NDArray[np.uint8]) -> dict[str, bytes]:
    def turned(extension: str, orientation: int) -> bytes:
        return with_orientation(encoded(stored(people, orientation), extension), orientation)

    return {
        "people_orientation_2.jpg": turned(".jpg", 2),
        "people_orientation_3.jpg": turned(".jpg", 3),
        "people_orientation_6.jpg": turned(".jpg", 6),
        "people_orientation_8.png": turned(".png", 8),
        "people_orientation_5.webp": turned(".webp", 5),
    }


def _raw_people(people: NDArray[np.uint8]) -> dict[str, bytes]:
    height, width = people.shape[:2]
    i420 = cv2.cvtColor(people, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, chroma = np.split(i420, [width * height])
    rows = people.reshape(height, -1)
    return {
        "people.bgr": people.tobytes(),
        "people.rgb": people[:, :, ::-1].tobytes(),
        "people.grey": cv2.cvtColor(people, cv2.COLOR_BGR2GRAY).tobytes(),
        # Of a quarter of the size, because four channels of it are above the limit.
        "people_small.bgra": cv2.cvtColor(people[::2, ::2], cv2.COLOR_BGR2BGRA).tobytes(),
        "people_small.rgba": cv2.cvtColor(people[::2, ::2], cv2.COLOR_BGR2RGBA).tobytes(),
        "people_small_padded.bgr": np.pad(
            rows[::2].reshape(height // 2, width, 3)[:, ::2].reshape(height // 2, -1),
            ((0, 0), (0, _ROW_PADDING_BYTES)),
        ).tobytes(),
        "people.i420": i420.tobytes(),
        "people.nv12": luma.tobytes() + chroma.reshape(2, -1).T.tobytes(),
    }


def _clip() -> dict[str, bytes]:
    video = cv2.VideoCapture(str(CLIP))
    frames = [video.read()[1].astype(np.uint8) for _ in range(_CLIP_FRAMES)]
    return {f"clip_{i}.jpg": encoded(frame, ".jpg") for i, frame in enumerate(frames, start=1)}


def _unusual_files(jpeg: bytes) -> dict[str, bytes]:
    return {
        "nobody.png": encoded(np.full((96, 128, 3), 128, np.uint8), ".png"),
        "text.jpg": b"three people, one of them waving",
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "empty.jpg": b"",
        # What follows an image is ignored, so only their size is wrong with these.
        "most_bytes.jpg": jpeg.ljust(MAX_IMAGE_BYTES, b"\0"),
        "too_many_bytes.jpg": jpeg.ljust(MAX_IMAGE_BYTES + 1, b"\0"),
        "far_too_many_bytes.jpg": jpeg.ljust(_GRPC_LIMIT_BYTES + 1, b"\0"),
        "too_many_pixels.png": encoded(np.zeros((400, 640), np.uint8), ".png"),
    }
