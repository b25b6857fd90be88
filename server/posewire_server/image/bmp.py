"""BMP files without compression."""

from __future__ import annotations

import struct

from posewire_server.geometry import Size
from posewire_server.image.errors import undecodable

_PLAIN, _BIT_FIELDS = 0, 3
_DEPTHS = {_PLAIN: (1, 4, 8, 16, 24, 32), _BIT_FIELDS: (16, 32)}
_MAX_HEADER = 124  # of version 5


def bmp_size(data: bytes) -> Size:
    """Read the size from the header; check the kind, and that no row is missing."""
    offset, header_length = struct.unpack_from("<II", data, 10)
    compression = _PLAIN
    if header_length == 12:
        width, height, depth = struct.unpack_from("<HH2xH", data, 18)
    elif 40 <= header_length <= _MAX_HEADER:
        width, height, depth, compression = struct.unpack_from("<ii2xHI", data, 18)
    else:
        raise undecodable(
            f"a BMP with a header of {header_length} bytes", f"12, or 40 to {_MAX_HEADER}"
        )
    if depth not in _DEPTHS.get(compression, ()):
        raise undecodable(
            f"a BMP of {depth} bits a pixel with compression {compression}", "one without it"
        )
    end = offset + (width * depth + 31) // 32 * 4 * abs(height)
    if end > len(data):
        raise undecodable(f"{len(data)} bytes of a BMP of {end}", "the whole file")
    return Size(width, abs(height))  # negative where rows go from top to bottom
