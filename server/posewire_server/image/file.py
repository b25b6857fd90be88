"""Reads image files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from posewire_server.geometry import Size
from posewire_server.image.encoded import decode_image
from posewire_server.image.errors import ImageFileError, InvalidImageError
from posewire_server.image.frame import Frame


def read_frame(
    path: Path,
    *,
    needed: Callable[[Size], Size] | None = None,
    apply_orientation: bool = True,
) -> Frame:
    """Read an image file as if a client had sent it.

    `needed`: as for `frame_from_proto`. `apply_orientation`: that of the file's metadata, as
    clients request by default. Raises `ImageFileError` for a file that is not an
    image, and `OSError` for one that cannot be read.
    """
    content = path.read_bytes()
    return frame_from_file(
        content, name=str(path), needed=needed, apply_orientation=apply_orientation
    )


def frame_from_file(
    content: bytes,
    *,
    name: str,
    needed: Callable[[Size], Size] | None = None,
    apply_orientation: bool = True,
) -> Frame:
    """Decode the content of an image file, as `read_frame` does; `name` is for the error."""
    try:
        decoded = decode_image(
            content, limits=None, needed=needed, apply_orientation=apply_orientation
        )
    except InvalidImageError as error:
        raise ImageFileError(f"{name}: {error.violations[0]}") from error
    return Frame.decoded(decoded)
