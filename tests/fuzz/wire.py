"""Protobuf's wire format, valid or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

VARINT, FIXED64, LENGTH, START_GROUP, END_GROUP, FIXED32 = range(6)
_SIZES = {FIXED64: 8, FIXED32: 4}


class Entry(NamedTuple):
    """A field as encoded. `content` follows the tag; that of LENGTH follows the length."""

    number: int
    wire_type: int
    content: bytes

    def encode(self) -> bytes:
        tag = varint(self.number << 3 | self.wire_type)
        if self.wire_type == LENGTH:
            return tag + varint(len(self.content)) + self.content
        return tag + self.content


def varint(number: int) -> bytes:
    """Encode a number that is not negative, in more than ten bytes if it needs them."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def join(entries: Iterable[Entry]) -> bytes:
    return b"".join(entry.encode() for entry in entries)


def split(data: bytes) -> list[Entry] | None:
    """Return the entries of a message; None if it has groups or is not valid."""
    entries = []
    at = 0
    while at < len(data):
        try:
            tag, at = _read_varint(data, at)
            number, wire_type = tag >> 3, tag & 7
            if wire_type == VARINT:
                _, end = _read_varint(data, at)
            elif wire_type == LENGTH:
                size, at = _read_varint(data, at)
                end = at + size
            else:
                end = at + _SIZES[wire_type]
        except (IndexError, KeyError):
            return None
        if end > len(data):
            return None
        entries.append(Entry(number, wire_type, data[at:end]))
        at = end
    return entries


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while data[at] & 0x80:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return number | data[at] << shift, at + 1
