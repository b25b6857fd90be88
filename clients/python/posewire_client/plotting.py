"""Draw results into their images with OpenCV: import this module where it is used."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_client.drawing import Style, draw_poses
from posewire_client.errors import MissingPackageError, NoDisplayError, UnsuitableImageError
from posewire_client.image import EncodedImage, ImageInput, as_file
from posewire_client.pixels import EXPECTED, Color, bgr_pixels, check_color, is_pixels
from posewire_client.skeleton import unknown_skeleton

if TYPE_CHECKING:
    from posewire_client.result import Result

_POLL_MILLIS = 50


def plot(
    result: Result, image: ImageInput | None, style: Style, *, color: Color
) -> NDArray[np.uint8]:
    """See `Result.plot`."""
    check_color(color)
    if image is None and result.image is None:
        raise ValueError(
            "the result has no image: it was given as an array or bytes, which a result does not "
            "keep; pass it, or use keep_images=True with a stream"
        )
    if image is None:
        assert result.image is not None, "checked above"
        canvas = read_bgr(result.image, color="bgr")  # which is how arrays are kept
    else:
        canvas = read_bgr(image, color=color)
    _check_size(canvas, result)
    skeleton = result.skeleton or unknown_skeleton(max(map(len, result.poses), default=0))
    draw_poses(canvas, result.poses, skeleton, style)
    return canvas if color == "bgr" else np.ascontiguousarray(canvas[..., ::-1])


def save(
    result: Result, path: Path, image: ImageInput | None, style: Style, *, color: Color
) -> None:
    """See `Result.save`."""
    source = result.image if image is None else image
    source = source.file if isinstance(source, EncodedImage) else source
    if isinstance(source, str | os.PathLike) and path.exists() and path.samefile(source):
        raise ValueError(f"{path}: is the image itself, want another file")
    canvas = plot(result, image, style, color=color)
    if color == "rgb":
        canvas = np.ascontiguousarray(canvas[..., ::-1])
    try:
        encoded = cv2.imencode(path.suffix, canvas)[1]
    except cv2.error:
        raise ValueError(f"{path}: got the suffix {path.suffix!r}, want .png or .jpg") from None
    path.write_bytes(encoded.tobytes())


def show(canvas: NDArray[np.uint8], title: str) -> None:
    """Show the image until a key is pressed or the window is closed; see `Result.show`."""
    if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys():
        raise NoDisplayError(
            "no display: DISPLAY and WAYLAND_DISPLAY are not set; want a desktop, or Result.save"
        )
    try:
        cv2.imshow(title, canvas)
    except cv2.error as error:
        raise MissingPackageError(
            "Result.show needs an OpenCV that opens windows; run: pip uninstall "
            "opencv-python-headless && pip install opencv-python"
        ) from error
    while cv2.waitKey(_POLL_MILLIS) == -1:
        if cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
            return
    cv2.destroyWindow(title)


def read_bgr(image: ImageInput, *, color: Color) -> NDArray[np.uint8]:
    """Return a copy of the pixels (h, w, 3) in BGR order. `color`: the order of an array.

    Files are turned as their EXIF orientation says, unless an EncodedImage forbids it.
    """
    if is_pixels(image):
        return bgr_pixels(image, color=color)
    given = as_file(image)
    file, flags = given.file, cv2.IMREAD_COLOR
    if not given.apply_orientation:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    if isinstance(file, str | os.PathLike):
        name, data = f"the file {file}", Path(file).read_bytes()
    elif isinstance(file, bytes | bytearray | memoryview):
        name, data = "the image's bytes", bytes(file)
    else:
        raise UnsuitableImageError(f"the image is of type {type(file).__name__}; {EXPECTED}")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if decoded is None:
        raise UnsuitableImageError(f"{name}: OpenCV cannot decode it, want an image file")
    return decoded.astype(np.uint8, copy=False)


def _check_size(canvas: NDArray[np.uint8], result: Result) -> None:
    height, width = canvas.shape[:2]
    if (width, height) != (result.image_width, result.image_height):
        raise ValueError(
            f"image: got {width}x{height} pixels, want {result.image_width}x{result.image_height}: "
            "the one that the result is for"
        )
