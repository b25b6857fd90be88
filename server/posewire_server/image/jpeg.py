"""JPEG files: their markers, read before a scan is decoded."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from posewire_server.geometry import Size
from posewire_server.image.errors import undecodable

_START_OF_SCAN = 0xDA
_APP0, _APP1, _APP14, _APP15 = 0xE0, 0xE1, 0xEE, 0xEF
_COMMENT = 0xFE
_IGNORED = {*range(_APP0, _APP15 + 1), _COMMENT} - {_APP0, _APP14}
_EXIF = b"Exif\0\0"
_NOT_SOF = (0xC4, 0xC8, 0xCC)  # all others from 0xc0 to 0xcf start a frame
_PROGRESSIVE = 0xC2
# Baseline, extended and progressive with Huffman codes. The others are lossless, hierarchical or
# arithmetic, which cameras and encoders of images for the web do not write.
_DECODED = (0xC0, 0xC1, _PROGRESSIVE)
_COMPONENTS = (1, 3, 4)  # grey, colour, four inks
# Real files have up to about 300 before the first scan, most of them parts of a colour profile.
_MAX_MARKERS = 1000
# The decoder passes over the whole image for each scan, however short: 50 ms for 33 megapixels.
# Encoders write about ten, at most 18 for four inks.
_MAX_SCANS = 32
# Bytes searched at a time. NumPy compares them in a fixed time, whatever their values.
_WINDOW = 1 << 20


def jpeg_size(data: bytes) -> Size:
    """Read the size from the frame header; check its kind, the number of scans and the end."""
    frame, scan = _frame_and_scan(data)
    precision, height, width, components = struct.unpack_from(">BHHB", data, frame + 4)
    kind = data[frame + 1]
    if kind not in _DECODED:
        raise undecodable(
            f"a JPEG of the kind SOF{kind - 0xC0}", "baseline, extended or progressive with Huffman"
        )
    if precision != 8 or components not in _COMPONENTS:
        raise undecodable(
            f"a JPEG of {components} components with {precision} bits",
            "1, 3 or 4 components with 8 bits",
        )
    if not _has_end(data, scan):
        raise undecodable(
            f"a JPEG of {len(data)} bytes without an end-of-image marker", "the whole file"
        )
    in_passes = kind == _PROGRESSIVE or data[scan + 4] < components
    if in_passes and (scans := _count_scans(data, scan)) > _MAX_SCANS:
        raise undecodable(f"a JPEG of {scans} scans", f"at most {_MAX_SCANS}")
    return Size(width, height)


def jpeg_exif(data: bytes) -> memoryview:
    """Return the EXIF metadata; empty if there is none before the first scan."""
    for marker, at in _segments(data):
        if marker == _START_OF_SCAN:
            break
        if marker == _APP1 and data.startswith(_EXIF, at + 4):
            return memoryview(data)[at + 4 : at + _length(data, at)]
    return memoryview(b"")


def bare_jpeg(data: bytes) -> bytes:
    """Return the file without metadata, colour profile and other bytes before the first scan.

    The decoder warns of those that it does not understand. Two kinds of metadata remain, which tell
    how colours are stored.
    """
    view = memoryview(data)
    kept = [view[:2]]
    for marker, at in _segments(data):
        if marker == _START_OF_SCAN:
            kept.append(view[at:])
            break
        if marker not in _IGNORED:
            kept.append(view[at : at + _length(data, at)])
    return data if sum(map(len, kept)) == len(data) else b"".join(kept)


def _frame_and_scan(data: bytes) -> tuple[int, int]:
    """Return the offsets of the frame header and of the first scan."""
    frame = None
    for marker, at in _segments(data):
        if marker == _START_OF_SCAN:
            break
        if frame is None and 0xC0 <= marker <= 0xCF and marker not in _NOT_SOF:
            frame = at
    if frame is None:
        raise undecodable("a JPEG without a frame header before its first scan", "one with it")
    return frame, at


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield markers and offsets up to the first scan; skip other bytes, like libjpeg."""
    at = 2
    for _ in range(_MAX_MARKERS):
        at = data.find(b"\xff", at)
        if at < 0:
            raise undecodable(f"a JPEG of {len(data)} bytes without a scan", "the whole file")
        marker = data[at + 1]
        if marker == 0xFF:  # of several, the last one begins the marker
            at += 1
        elif marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD7:  # no segment follows
            at += 2
        elif marker in (0xD8, 0xD9):
            raise undecodable(
                "a JPEG with a second start or an end before its first scan", "neither"
            )
        else:
            yield marker, at
            at += _length(data, at)
    raise undecodable(
        f"a JPEG with more than {_MAX_MARKERS} markers before its first scan", "fewer"
    )


def _length(data: bytes, at: int) -> int:
    """Return the length of the segment with its marker and the length itself."""
    (length,) = struct.unpack_from(">H", data, at + 2)
    return 2 + max(2, int(length))


def _has_end(data: bytes, start: int) -> bool:
    """Whether an end-of-image marker follows; other bytes may follow it."""
    if data.endswith(b"\xff\xd9") and len(data) >= start + 2:
        return True
    return any(found.any() for found in _markers(data, start, 0xD9))


def _count_scans(data: bytes, start: int) -> int:
    # Inside scans 0xff is followed by 0 or a restart, so markers can be found by their bytes.
    return sum(int(np.count_nonzero(found)) for found in _markers(data, start, _START_OF_SCAN))


def _markers(data: bytes, start: int, marker: int) -> Iterator[NDArray[np.bool_]]:
    """Yield a mask of the places where the marker begins, for each window, the last one first.

    The methods of `bytes` would hold the GIL: 0.6 s for some files of 32 MB.
    """
    for at in reversed(range(start, len(data), _WINDOW)):
        window = np.frombuffer(data, np.uint8, min(_WINDOW + 1, len(data) - at), at)
        yield (window[:-1] == 0xFF) & (window[1:] == marker)
