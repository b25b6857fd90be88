"""Counts the fields of a serialized message: the oracle of `MessageKind.has_at_most`."""

from __future__ import annotations

from posewire_decoder.messages import Submessages

_VARINT, _FIXED64, _BYTES, _START_GROUP, _END_GROUP, _FIXED32 = range(6)


def has_at_most(count: int, data: bytes, inner: Submessages) -> bool:
    """Whether a message has at most that many fields, with those of its submessages.

    False for bytes that are not a message. The time grows with `count` and not with the bytes.
    """
    try:
        return _count_up_to(count + 1, data, inner) <= count
    except (IndexError, ValueError):
        return False


def _count_up_to(most: int, data: bytes, inner: Submessages) -> int:
    count = 0
    levels = [(0, len(data), inner)]
    while levels:
        at, end, inner = levels.pop()
        while at < end and count < most:
            count += 1
            key, at = _varint(data, at)
            kind = key & 7
            if kind == _BYTES:
                size, at = _varint(data, at)
                if key >> 3 in inner:
                    levels.append((at, min(at + size, end), inner[key >> 3]))
                at += size
            elif kind == _VARINT:
                _, at = _varint(data, at)
            elif kind == _FIXED32:
                at += 4
            elif kind == _FIXED64:
                at += 8
            elif kind not in (_START_GROUP, _END_GROUP):
                raise ValueError(kind)
    return count


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number there, and where the next one is. Raises `IndexError` or `ValueError`."""
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value = byte & 0x7F
    for shift in range(7, 70, 7):
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at + 1
    raise ValueError("a number of more than ten bytes")
