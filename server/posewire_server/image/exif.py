"""EXIF metadata: the orientation, and nothing else."""

from __future__ import annotations

import struct
from collections.abc import Callable

from posewire_server.image.jpeg import jpeg_exif
from posewire_server.image.orientation import UPRIGHT, Orientation
from posewire_server.image.png import png_exif
from posewire_server.image.webp import webp_exif

_TAG, _SHORT = 0x0112, 3
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_PREFIX = b"Exif\0\0"  # required in a JPEG, and written to the others by some programs
# Entries are sorted by tag, and those before the orientation are fewer than 30.
_MAX_ENTRIES = 256
_ORIENTATIONS = {
    2: Orientation(mirrors_x=True),
    3: Orientation(mirrors_x=True, mirrors_y=True),
    4: Orientation(mirrors_y=True),
    5: Orientation(swaps_sides=True),
    6: Orientation(swaps_sides=True, mirrors_x=True),
    7: Orientation(swaps_sides=True, mirrors_x=True, mirrors_y=True),
    8: Orientation(swaps_sides=True, mirrors_y=True),
}
_READERS: dict[str, Callable[[bytes], memoryview]] = {
    "JPEG": jpeg_exif,
    "PNG": png_exif,
    "WebP": webp_exif,
}


def read_orientation(name: str, data: bytes) -> Orientation:
    """Read the orientation of a file of the format `name` whose header has been read.

    Upright if the file has none, or if its metadata is damaged. Takes no more time than reading the
    header, whatever the file holds.
    """
    read_exif = _READERS.get(name)
    return UPRIGHT if read_exif is None else orientation_from_exif(read_exif(data))


def orientation_from_exif(exif: memoryview) -> Orientation:
    """Read the orientation from the first directory; upright if there is none."""
    if exif[: len(_PREFIX)] == _PREFIX:
        exif = exif[len(_PREFIX) :]
    order = _BYTE_ORDERS.get(bytes(exif[:4]))
    if order is None:
        return UPRIGHT
    try:
        return _ORIENTATIONS.get(_value(exif, order), UPRIGHT)
    except struct.error:  # it points beyond its end
        return UPRIGHT


def _value(exif: memoryview, order: str) -> int:
    (directory,) = struct.unpack_from(f"{order}I", exif, 4)
    (entries,) = struct.unpack_from(f"{order}H", exif, directory)
    for entry in range(min(entries, _MAX_ENTRIES)):
        tag, kind, count, value = struct.unpack_from(
            f"{order}HHIH", exif, directory + 2 + 12 * entry
        )
        if tag == _TAG:
            return int(value) if (kind, count) == (_SHORT, 1) else 1
    return 1
