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


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """The JPEG with an EXIF segment that asks for its pixels to be turned."""
    entry = struct.pack(">HHIHH", 0x112, 3, 1, orientation, 0)
    exif = b"Exif\0\0" + b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


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
