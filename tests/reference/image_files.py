"""Image files for tests."""

from __future__ import annotations

import base64
import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

# 16x16 pixels, the left half red and the right half 50 % black on cyan, written by Pillow.
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2Rjcs"
    "LUBXQUZMTlJTUjI+WmFaUGBKUVJP/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAgH"
    "/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAAPwCnJgmCnDETpOpgToxDEp4xE6TqYP/Z"
)


def encoded(pixels: NDArray[np.uint8] | NDArray[np.uint16], extension: str, *options: int) -> bytes:
    """The file that OpenCV writes for pixels in its order of channels."""
    done, content = cv2.imencode(extension, pixels, options)
    assert done
    return content.tobytes()


def stored(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What a file stores so that a viewer shows the pixels, by the definition of the tag."""
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: np.rot90(pixels, 2),
        4: pixels[::-1],
        5: np.rot90(pixels)[::-1],
        6: np.rot90(pixels),
        7: np.rot90(pixels)[:, ::-1],
        8: np.rot90(pixels, -1),
    }[orientation]
    return np.ascontiguousarray(turned)


def exif(orientation: int, *, order: str = ">", kind: int = 3, count: int = 1) -> bytes:
    """Metadata with another tag and the orientation."""
    entries = [(0x10F, 2, 4, 0x6161), (0x112, kind, count, orientation)]
    packed = b"".join(struct.pack(f"{order}HHIHH", *entry, 0) for entry in entries)
    start = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(f"{order}IH", 8, len(entries))
    return start + packed + bytes(4)


def with_orientation(file: bytes, orientation: int, *, order: str = ">") -> bytes:
    """The JPEG, PNG or WebP with EXIF metadata that asks for its pixels to be turned."""
    return with_exif(file, exif(orientation, order=order))


def with_exif(file: bytes, content: bytes) -> bytes:
    """The JPEG, PNG or WebP with EXIF metadata, in a WebP after the image."""
    if file.startswith(b"\x89PNG"):
        return file[:33] + png_chunk(b"eXIf", content) + file[33:]
    if file.startswith(b"RIFF"):
        width, height = _webp_size(file)
        sides = b"".join(struct.pack("<I", side - 1)[:3] for side in (width, height))
        canvas = riff_chunk(b"VP8X", b"\x08\0\0\0" + sides)
        return webp_file(canvas + file[12:] + riff_chunk(b"EXIF", content))
    segment = b"Exif\0\0" + content
    return file[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + file[2:]


def _webp_size(file: bytes) -> tuple[int, int]:
    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels.shape[1], pixels.shape[0]


def png(
    width: int, height: int, rows: bytes, *, depth: int = 8, colour: int, palette: bytes = b""
) -> bytes:
    """A PNG of any of its kinds; `rows` begin with the number of their filter."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")]
    if palette:
        chunks.insert(1, (b"PLTE", palette))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with its length and checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def webp(kind: bytes, content: bytes) -> bytes:
    """A WebP file of one chunk."""
    return webp_file(riff_chunk(kind, content))


def webp_file(chunks: bytes) -> bytes:
    """A RIFF file of these chunks."""
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def riff_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk, padded to an even length."""
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
