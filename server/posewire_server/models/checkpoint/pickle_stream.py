"""The opcodes of a pickle, one by one."""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from typing import Any

from posewire_server.models.errors import DamagedCheckpointError, RefusedCheckpointError

# HigherHRNet-W32's takes 0.3 MB.
MAX_PICKLE_BYTES = 2**24
# A name in a GLOBAL ends with its line; a longer one is not in the table of what is allowed.
_MAX_LINE_BYTES = 256
# The longest number that PyTorch writes is its magic number, of 10 bytes.
_MAX_INT_BYTES = 16


class PickleStream:
    """Reads opcodes from bytes, in which several pickles may follow each other.

    Only opcodes that a dict of tensors is written with are read, in protocols 2 to 5; any other is
    refused before its argument is looked at.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.position = 0

    def next_opcode(self) -> tuple[str, Any]:
        """The name that `pickletools` has for the next opcode, and its argument."""
        start = self.position
        code = self._take(1)
        if code not in OPCODES:
            raise RefusedCheckpointError(
                f"pickle opcode {_name_of(code)} at byte {start}, want only those of tensors"
            )
        name, argument_of = OPCODES[code]
        return name, argument_of(self)

    def _take(self, length: int) -> bytes:
        end = self.position + length
        taken = self._content[self.position : end]
        if len(taken) < length:
            raise DamagedCheckpointError(
                f"pickle wants bytes {self.position} to {end}, it has {len(self._content)} "
                f"and may have {MAX_PICKLE_BYTES}"
            )
        self.position = end
        return taken

    def _number(self, code: str) -> Any:
        return struct.unpack(code, self._take(struct.calcsize(code)))[0]

    def _text(self, code: str) -> str:
        start = self.position
        try:
            return self._take(self._number(code)).decode()
        except UnicodeDecodeError as error:
            raise DamagedCheckpointError(
                f"text at byte {start} of the pickle is not UTF-8: {error.reason}"
            ) from None

    def _int(self) -> int:
        length = self._number("<B")
        if length > _MAX_INT_BYTES:
            raise RefusedCheckpointError(
                f"number of {length} bytes at {self.position}, want at most {_MAX_INT_BYTES}"
            )
        return int.from_bytes(self._take(length), "little", signed=True)

    def _line(self) -> str:
        end = self._content.find(b"\n", self.position, self.position + _MAX_LINE_BYTES)
        if end < 0:
            raise DamagedCheckpointError(
                f"name at byte {self.position} of the pickle does not end, "
                f"want a line of at most {_MAX_LINE_BYTES} bytes"
            )
        return self._take(end + 1 - self.position)[:-1].decode("ascii", "backslashreplace")

    def _global(self) -> tuple[str, str]:
        return self._line(), self._line()


def _name_of(code: bytes) -> str:
    names = {each.code: each.name for each in pickletools.opcodes}
    return names.get(code.decode("latin-1"), repr(code))


def _number(code: str) -> Callable[[PickleStream], object]:
    return lambda stream: stream._number(code)


def _text(code: str) -> Callable[[PickleStream], object]:
    return lambda stream: stream._text(code)


def _nothing(stream: PickleStream) -> None:
    del stream


OPCODES: dict[bytes, tuple[str, Callable[[PickleStream], object]]] = {
    b"\x80": ("PROTO", _number("<B")),
    b"\x95": ("FRAME", _number("<Q")),
    b".": ("STOP", _nothing),
    b"N": ("NONE", _nothing),
    b"\x88": ("NEWTRUE", _nothing),
    b"\x89": ("NEWFALSE", _nothing),
    b"J": ("BININT", _number("<i")),
    b"K": ("BININT1", _number("<B")),
    b"M": ("BININT2", _number("<H")),
    b"\x8a": ("LONG1", PickleStream._int),
    b"G": ("BINFLOAT", _number(">d")),
    b"X": ("BINUNICODE", _text("<I")),
    b"\x8c": ("SHORT_BINUNICODE", _text("<B")),
    b"\x8d": ("BINUNICODE8", _text("<Q")),
    b"(": ("MARK", _nothing),
    b")": ("EMPTY_TUPLE", _nothing),
    b"t": ("TUPLE", _nothing),
    b"\x85": ("TUPLE1", _nothing),
    b"\x86": ("TUPLE2", _nothing),
    b"\x87": ("TUPLE3", _nothing),
    b"]": ("EMPTY_LIST", _nothing),
    b"a": ("APPEND", _nothing),
    b"e": ("APPENDS", _nothing),
    b"}": ("EMPTY_DICT", _nothing),
    b"s": ("SETITEM", _nothing),
    b"u": ("SETITEMS", _nothing),
    b"q": ("BINPUT", _number("<B")),
    b"r": ("LONG_BINPUT", _number("<I")),
    b"\x94": ("MEMOIZE", _nothing),
    b"h": ("BINGET", _number("<B")),
    b"j": ("LONG_BINGET", _number("<I")),
    b"c": ("GLOBAL", PickleStream._global),
    # Refused, once its argument has given the name that the refusal is to tell.
    b"i": ("INST", PickleStream._global),
    b"\x93": ("STACK_GLOBAL", _nothing),
    b"R": ("REDUCE", _nothing),
    b"b": ("BUILD", _nothing),
    b"Q": ("BINPERSID", _nothing),
}
