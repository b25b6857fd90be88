"""Writing valid and invalid checkpoints byte by byte, in PyTorch's formats."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from posewire_server.models.checkpoint import read_checkpoint

__all__ = [
    "FORMATS",
    "Call",
    "Format",
    "Name",
    "Stored",
    "checkpoint",
    "legacy_checkpoint",
    "storage",
    "tensor",
    "to_pickle",
    "zip_checkpoint",
]

Format = Literal["zip", "legacy"]
FORMATS: tuple[Format, ...] = ("zip", "legacy")
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


@dataclass(frozen=True, slots=True)
class Name:
    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `function`; `state`, if any, is set on its result."""

    function: object
    arguments: object
    state: object = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A reference to something outside the pickle."""

    persistent_id: object


ORDERED_DICT = Name("collections", "OrderedDict")
REBUILD_TENSOR = Name("torch._utils", "_rebuild_tensor_v2")
STORAGE_NAMES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "bfloat16": "BFloat16Storage",
}


def to_pickle(value: object) -> bytes:
    """Pickle a value with protocol 2."""
    return b"\x80\x02" + _opcodes(value) + b"."


def _opcodes(value: object) -> bytes:
    match value:
        case Name(module, name):
            return f"c{module}\n{name}\n".encode()
        case Call(function, arguments, state):
            made = _opcodes(function) + _opcodes(arguments) + b"R"
            return made if state is None else made + _opcodes(state) + b"b"
        case Stored(persistent_id):
            return _opcodes(persistent_id) + b"Q"
        case tuple():
            return b"(" + b"".join(map(_opcodes, value)) + b"t"
        case list():
            return b"](" + b"".join(map(_opcodes, value)) + b"e"
        case dict():
            items = (_opcodes(key) + _opcodes(each) for key, each in value.items())
            return b"}(" + b"".join(items) + b"u"
    return _scalar_opcodes(value)


def _scalar_opcodes(value: object) -> bytes:
    match value:
        case None | True | False:
            return {None: b"N", True: b"\x88", False: b"\x89"}[value]
        case int():
            digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(digits)]) + digits
        case float():
            return b"G" + struct.pack(">d", value)
        case str():
            text = value.encode()
            return b"X" + struct.pack("<I", len(text)) + text
    raise TypeError(f"{value!r} has no opcodes here")


def storage(key: str, count: int, *, kind: str = "float32") -> Stored:
    return Stored(("storage", Name("torch", STORAGE_NAMES[kind]), key, "cpu", count))


def tensor(
    held: object, shape: object, strides: object, *, offset: object = 0, more: tuple[Any, ...] = ()
) -> Call:
    hooks = Call(ORDERED_DICT, ())
    return Call(REBUILD_TENSOR, (held, offset, shape, strides, False, hooks, *more))


def vector(key: str = "0", count: int = 2) -> Call:
    """Make a tensor of one axis: consecutive elements from the start of a storage."""
    return tensor(storage(key, count), (count,), (1,))


def checkpoint(
    layout: Format, root: object, storages: Mapping[str, NDArray[Any]] | None = None
) -> bytes:
    """Make a valid file of either format that holds `root`."""
    write = zip_checkpoint if layout == "zip" else legacy_checkpoint
    return write(to_pickle(root), storages or {})


def zip_checkpoint(
    root: bytes,
    storages: Mapping[str, NDArray[Any]],
    *,
    more: Sequence[tuple[str, bytes]] = (("net/byteorder", b"little"),),
    compression: int = zipfile.ZIP_STORED,
    name: str = "net",
) -> bytes:
    entries = [(f"{name}/data.pkl", root), *more]
    entries += [(f"{name}/data/{key}", values.tobytes()) for key, values in storages.items()]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
    return file.getvalue()


def legacy_checkpoint(
    root: bytes,
    storages: Mapping[str, NDArray[Any]],
    *,
    magic_number: object = MAGIC_NUMBER,
    protocol_version: object = 1001,
    system: object = None,
    keys: object = None,
) -> bytes:
    contents = (
        struct.pack("<q", values.size) + np.ascontiguousarray(values).tobytes()
        for values in storages.values()
    )
    preamble = (magic_number, protocol_version, system or {"little_endian": True})
    listed = [*storages] if keys is None else keys
    return b"".join([*map(to_pickle, preamble), root, to_pickle(listed), *contents])


def read(folder: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """Write the content to a file in the folder and read it."""
    path = folder / "net.pth"
    path.write_bytes(content)
    return read_checkpoint(path)
