"""Random messages, made and mutated by their descriptors."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from tests.fuzz import wire
from tests.fuzz.wire import Entry

_NUMBERS = (
    *(0, 1, 2, 3, 7, 16, 64, 100, 127, 128, 255, 256, 999_999_999, 1_000_000_000),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 315_576_000_000, 2**63 - 1, 2**63, 2**64 - 1),
    *(2**64 - 10**9, 2**70, 2**140),  # -1e9, and too long
)
_FLOATS = (
    *(0.0, -0.0, 0.5, 1.0, 1.0000001, -1e-45, 1e-45, 63.5, -1.0, 1e9, 3.4e38, -3.4e38),
    *(float("inf"), float("-inf"), float("nan")),
)
_TEXTS = (
    *(b"", b"stub", b"Stub", b"\0", b"stub\0", b"x" * 9000, "\U0001f600".encode() * 300),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"grpc.health.v1.Health", b"posewire.v1.PoseService"),
)
_KINDS = {
    FieldDescriptor.TYPE_DOUBLE: wire.FIXED64,
    FieldDescriptor.TYPE_FIXED64: wire.FIXED64,
    FieldDescriptor.TYPE_SFIXED64: wire.FIXED64,
    FieldDescriptor.TYPE_FLOAT: wire.FIXED32,
    FieldDescriptor.TYPE_FIXED32: wire.FIXED32,
    FieldDescriptor.TYPE_SFIXED32: wire.FIXED32,
    FieldDescriptor.TYPE_STRING: wire.LENGTH,
    FieldDescriptor.TYPE_BYTES: wire.LENGTH,
    FieldDescriptor.TYPE_MESSAGE: wire.LENGTH,
}
_MAX_DEPTH = 8


class MessageMaker:
    """Makes encoded messages; `blobs` are values of fields of bytes."""

    def __init__(self, chance: random.Random, blobs: Sequence[bytes]) -> None:
        self._chance = chance
        self._blobs = blobs

    def make(self, kind: Descriptor, depth: int = 0) -> bytes:
        """Encode a message with some of its fields, and sometimes with faults."""
        chance = self._chance
        fields = list(kind.fields)
        if not fields or depth > _MAX_DEPTH:
            return self._fault() if chance.random() < 0.3 else b""
        # All of them, a few, or the same ones again.
        count = chance.choice((0, 1, 1, 2, len(fields), 2 * len(fields)))
        chosen = fields if count == len(fields) else [chance.choice(fields) for _ in range(count)]
        encoded = wire.join(self._field(field, depth) for field in chosen)
        return encoded + (self._fault() if chance.random() < 0.1 else b"")

    def mutate(self, data: bytes, kind: Descriptor, depth: int = 0) -> bytes:
        """Change a message in one place, by fields if it can be parsed."""
        entries = wire.split(data)
        if entries is None or self._chance.random() < 0.1:
            return self._mutate_bytes(data)
        return self._mutate_entries(entries, kind, depth)

    def _mutate_entries(self, entries: list[Entry], kind: Descriptor, depth: int) -> bytes:
        chance = self._chance
        at = chance.randrange(len(entries) + 1)
        if at == len(entries):
            if chance.random() < 0.2 or not kind.fields:
                return wire.join(entries) + self._fault()
            entries.append(self._field(chance.choice(list(kind.fields)), depth))
            return wire.join(entries)
        entry = entries[at]
        field = kind.fields_by_number.get(entry.number)
        if field is not None and field.message_type is not None and chance.random() < 0.7:
            inside = self.mutate(entry.content, field.message_type, depth + 1)
            entries[at] = Entry(entry.number, wire.LENGTH, inside)
            return wire.join(entries)
        match chance.randrange(5):
            case 0:
                del entries[at]
            case 1:
                entries.insert(chance.randrange(len(entries)), entry)
            case 2:
                chance.shuffle(entries)
            case _ if field is not None:
                entries[at] = self._field(field, depth)
            case _:
                entries[at] = Entry(chance.choice((1, 2, 3, 15, 999)), entry.wire_type, b"\1" * 8)
        return wire.join(entries)

    def _mutate_bytes(self, data: bytes) -> bytes:
        chance = self._chance
        content = bytearray(data)
        at = chance.randrange(len(content) + 1)
        match chance.randrange(4):
            case 0:
                del content[at:]
            case 1:
                content[at : at + 4] = chance.randbytes(4)
            case 2:
                content[at:at] = self._fault()
            case _ if at < len(content):
                content[at] ^= 1 << chance.randrange(8)
            case _:
                content *= 2
        return bytes(content)

    def _field(self, field: FieldDescriptor, depth: int) -> Entry:
        chance = self._chance
        wire_type = _KINDS.get(field.type, wire.VARINT)
        if chance.random() < 0.03:
            wire_type = chance.choice((wire.VARINT, wire.FIXED64, wire.LENGTH, wire.FIXED32))
            if wire_type == wire.LENGTH:
                return Entry(field.number, wire_type, chance.randbytes(chance.choice((0, 1, 8))))
        return Entry(field.number, wire_type, self._content(field, wire_type, depth))

    def _content(self, field: FieldDescriptor, wire_type: int, depth: int) -> bytes:
        chance = self._chance
        if wire_type == wire.FIXED32:
            return struct.pack("<f", chance.choice(_FLOATS))
        if wire_type == wire.FIXED64:
            return struct.pack("<d", chance.choice(_FLOATS))
        if wire_type == wire.VARINT:
            known = [each.number for each in field.enum_type.values] if field.enum_type else []
            numbers = known if known and chance.random() < 0.7 else _NUMBERS
            return wire.varint(chance.choice(numbers))
        if field.message_type is not None:
            return self.make(field.message_type, depth + 1)
        return chance.choice(_TEXTS if field.type == FieldDescriptor.TYPE_STRING else self._blobs)

    def _fault(self) -> bytes:
        """Encode a field that is unknown or not valid."""
        chance = self._chance
        number = chance.choice((0, 1, 2, 3, 15, 16, 19_000, 2**29 - 1, 2**29, 2**61))
        depth = chance.choice((1, 50, 99, 101, 5000))
        start, end = (
            wire.varint(number << 3 | each) for each in (wire.START_GROUP, wire.END_GROUP)
        )
        tag = wire.varint(number << 3 | wire.LENGTH)
        match chance.randrange(7):
            case 0:
                return start * depth + end * depth
            case 1:
                return start * depth
            case 2:
                return end
            case 3:  # a length of more than there is
                return tag + wire.varint(chance.choice(_NUMBERS[2:]))
            case 4:  # a wire type that does not exist
                return wire.varint(number << 3 | chance.choice((6, 7))) + b"\0"
            case 5:  # messages in messages, unknown or not
                inside = b""
                for _ in range(depth % 1000):
                    inside = Entry(chance.choice((1, 2, 3)), wire.LENGTH, inside).encode()
                return inside
            case _:
                return Entry(number, wire.VARINT, wire.varint(chance.choice(_NUMBERS))).encode()
