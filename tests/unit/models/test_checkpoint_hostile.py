from __future__ import annotations

import pickle
import pickletools
import re
import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posewire_server.models.checkpoint import unpickler
from posewire_server.models.errors import (
    CheckpointError,
    DamagedCheckpointError,
    RefusedCheckpointError,
    WrongWeightsError,
)
from tests.reference.checkpoint_writer import (
    FORMATS,
    ORDERED_DICT,
    REBUILD_TENSOR,
    Call,
    Format,
    Name,
    Stored,
    checkpoint,
    legacy_checkpoint,
    read,
    storage,
    tensor,
    to_pickle,
    vector,
    zip_checkpoint,
)

PAIR = np.array([1, 2], np.float32)
FLOATS = Name("torch", "FloatStorage")

both_formats = pytest.mark.parametrize("layout", FORMATS)


def around(layout: Format, opcodes: bytes) -> bytes:
    write = zip_checkpoint if layout == "zip" else legacy_checkpoint
    return write(opcodes, {"0": PAIR})


class Shell:
    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("touch harmed",)


class Evaluated:
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("open('harmed', 'w')",)


class Looked:
    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (Shell(), "anything")


@both_formats
@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("exploit", [Shell(), Evaluated(), Looked()])
def test_nothing_is_executed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: Format,
    protocol: int,
    exploit: object,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefusedCheckpointError, match=r"pickle (names|opcode)"):
        read(tmp_path, around(layout, pickle.dumps({"weight": exploit}, protocol)))
    assert not (tmp_path / "harmed").exists()


@both_formats
@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("__builtin__", "exec"),
        ("subprocess", "Popen"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
        ("copyreg", "_reconstructor"),
        ("numpy", "load"),
        ("numpy.core.multiarray", "scalar"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("_codecs", "encode"),
        ("torch", "load"),
        ("torch", "_utils.getattr"),
        ("torch._utils", "_rebuild_sparse_tensor"),
        ("torch._utils", "_rebuild_parameter_with_state"),
        ("torch.storage", "_load_from_bytes"),
        ("torch.serialization", "load"),
        ("torch.nn.modules.linear", "Linear"),
        ("collections", "OrderedDict.fromkeys"),
        ("collections", "defaultdict"),
        ("posewire_server.models.checkpoint", "read_checkpoint"),
        ("", ""),
    ],
)
def test_other_names_are_refused_by_name(
    tmp_path: Path, layout: Format, module: str, name: str
) -> None:
    parts = b"".join(b"\x8c" + bytes([len(each)]) + each.encode() for each in (module, name))
    by_line = [f"c{module}\n{name}\n".encode()] if module else []
    for opcodes in (*by_line, parts + b"\x93"):
        with pytest.raises(RefusedCheckpointError, match=re.escape(f"names '{module}.{name}'")):
            read(tmp_path, around(layout, b"\x80\x04" + opcodes + b"."))


# The other opcodes of pickle; EXT1, EXT2 and EXT4 name objects by number.
@pytest.mark.parametrize(
    ("opcodes", "name"),
    [
        *((bytes([code]) + b"\x01\0\0\0", f"EXT{size}") for code, size in ((0x82, 1), (0x83, 2))),
        (b"\x84\x01\0\0\0", "EXT4"),
        (b"(o", "OBJ"),
        (b"(ios\nsystem\n", "INST"),
        (b")\x81", "NEWOBJ"),
        (b")}\x92", "NEWOBJ_EX"),
        (b"Pkey\n", "PERSID"),
        (b"\x8b\xff\xff\xff\x7f", "LONG4"),
        (b"L" + b"9" * 10_000 + b"L\n", "LONG"),
        (b"I1\n", "INT"),
        (b"F1\n", "FLOAT"),
        (b"V\\u0041\n", "UNICODE"),
        (b"S'a'\n", "STRING"),
        (b"U\x01a", "SHORT_BINSTRING"),
        (b"B\xff\xff\xff\xff", "BINBYTES"),
        (b"\x96" + b"\xff" * 7 + b"\x7f", "BYTEARRAY8"),
        (b"\x97", "NEXT_BUFFER"),
        (b"N2", "DUP"),
        (b"N0", "POP"),
        (b"(1", "POP_MARK"),
        (b"\x8f", "EMPTY_SET"),
        (b"(\x91", "FROZENSET"),
        (b"p0\n", "PUT"),
        (b"\xff", r"b'\xff'"),
    ],
)
def test_opcodes_that_no_tensor_needs_are_refused(
    tmp_path: Path, opcodes: bytes, name: str
) -> None:
    with pytest.raises(RefusedCheckpointError, match=re.escape(f"pickle opcode {name} at byte")):
        read(tmp_path, around("zip", b"\x80\x02" + opcodes + b"."))


# Pickles that take what is not on the stack or in the memo, or use a value of another type.
UNREADABLE = (
    b". (. N(\x85. t. h\x07. q\0. NNa. }(Ne. ](NNu. }(Nu. NN\x93. N)R. ctorch\nFloatStorage\n)R. "
    b"ccollections\nOrderedDict\n}R. ctorch\nFloatStorage\n}b. c\n\n. \x80\x06N."
).split(b" ")


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        *((opcodes, "pickle cannot be read: ") for opcodes in UNREADABLE),
        (b"\x95" + b"\xff" * 8, "pickle is cut at byte 11: no STOP"),
        (b"cos.system.", "pickle is cut at byte 13: no STOP"),
        (b"c" + b"a" * 300 + b"\nb\n.", f"names '{'a' * 80}'..., want only"),
        (b"X\xff\xff\xff\xffab.", "pickle is cut at byte 2"),
        (b"\x8d" + b"\xff" * 8 + b".", "pickle is cut at byte 2"),
        (b"X\x02\0\0\0\xff\xfe.", "pickle is cut at byte 2: 'utf-8' codec can't decode"),
        (b"X\x03\0\0\0\xed\xa0\x80.", r"holds '\ud800'"),
        (b"\x8a\xff" + b"\x01" * 255 + b".", "number of 2033 bits"),
        (b"\x8a\xff" + b"\xff" * 254 + b"\x80.", "number of 2039 bits"),
        (b"Nr\xff\xff\xff\xffj\xff\xff\xff\xff.", "puts memo 4294967295 after 2 opcodes"),
        (b"Nq\x07.", "puts memo 7 after 2 opcodes, want them numbered in turn"),
        (b"N.N", "pickle ends at byte 4"),
        (b"}Nb.", "sets the state of a dict to None"),
        (b"]q\0h\0a.", "holds a list of 1"),
        (b"\x95.", "pickle is cut at byte 2"),
        (b"", "pickle is cut at byte 2: no STOP"),
    ],
)
def test_invalid_pickles(tmp_path: Path, opcodes: bytes, message: str) -> None:
    with pytest.raises(CheckpointError, match=re.escape(message)):
        read(tmp_path, around("zip", b"\x80\x02" + opcodes))


@pytest.mark.parametrize("target", [vector(), storage("0", 2), FLOATS, REBUILD_TENSOR, [1], "x"])
@pytest.mark.parametrize(
    "state",
    [
        b"N",
        b"}",
        b"}X\4\0\0\0nameNs",
        b"]NaNaNa",
        b"N}X\4\0\0\0nameNs\x86",
        b"}}X\5\0\0\0shapeNs\x86",
    ],
)
def test_build_changes_nothing(tmp_path: Path, target: object, state: bytes) -> None:
    built = to_pickle(target)[2:-1] + state + b"b"
    content = around("zip", b"\x80\x02" + built + to_pickle({"weight": vector()})[2:-1] + b"\x86.")
    with pytest.raises(CheckpointError):
        read(tmp_path, content)
    sound = checkpoint("zip", {"weight": vector()}, {"0": PAIR})
    np.testing.assert_array_equal(read(tmp_path, sound)["weight"], PAIR, strict=True)


def test_a_built_tensor_is_the_tensor(tmp_path: Path) -> None:
    item = to_pickle("weight")[2:-1] + to_pickle(vector())[2:-1] + b"Nb"
    tensors = read(tmp_path, around("zip", b"\x80\x02}(" + item + b"u."))
    np.testing.assert_array_equal(tensors["weight"], PAIR, strict=True)


@both_formats
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (tensor(None, (2,), (1,)), "_rebuild_tensor_v2 of (None"),
        (tensor("0", (2,), (1,)), "_rebuild_tensor_v2 of ('0'"),
        (tensor(storage("0", 2), [2], [1]), "a list of 1, a list of 1"),
        (tensor(storage("0", 2), 2, 1), "(a storage, 0, 2, 1, "),
        (tensor(storage("0", 2), (2.0,), (1,)), "_rebuild_tensor_v2 of"),
        (tensor(storage("0", 2), (True,), (1,)), "_rebuild_tensor_v2 of"),
        (tensor(storage("0", 2), (2,), ("1",)), "_rebuild_tensor_v2 of"),
        (tensor(storage("0", 2), (2,), (1,), offset=None), "(a storage, None,"),
        (tensor(storage("0", 2), (2,), (1,), more=({"neg": True},)), "a dict of 1), want"),
        (tensor(storage("0", 2), (2,), (1,), more=(None, None)), "None, None), want"),
        (tensor(storage("0", 2), (1,) * 33, (1,) * 33), "(at most 32)"),
        (Call(REBUILD_TENSOR, ()), "_rebuild_tensor_v2 of (), want"),
        (Call(REBUILD_TENSOR, (vector(), 0, (2,), (1,), False, {})), "of (a tensor, 0,"),
        (Call(REBUILD_TENSOR, (storage("0", 2), 0, (2,), (1,), False, {1: 2})), "a dict of 1"),
        (Call(Name("torch._utils", "_rebuild_parameter"), (None, True, {})), "want a tensor"),
        (Call(Name("torch._utils", "_rebuild_parameter"), (vector(),)), "want a tensor"),
        (Call(ORDERED_DICT, ([("a", 1)],)), "OrderedDict of (a list of 1), want it empty"),
        (Stored("0"), "persistent id is ('0'), want 'storage'"),
        (Stored(()), "persistent id is (), want 'storage'"),
        (Stored(("module", None, None, None)), "persistent id is ('module', None, None"),
        (Stored(("storage", "FloatStorage", "0", "cpu", 2)), "'FloatStorage'"),
        (Stored(("storage", ORDERED_DICT, "0", "cpu", 2)), "('storage', a function, '0'"),
        (Stored(("storage", FLOATS, 0, "cpu", 2)), "torch.FloatStorage, 0, 'cpu', 2"),
        (Stored(("storage", FLOATS, "0", "cpu", -2)), "'cpu', -2), want"),
        (Stored(("storage", FLOATS, "0", "cpu", True)), "'cpu', True), want"),
        (Stored(("storage", FLOATS, "0", "cpu", 2, ("1", 0, 1))), "a tuple of 3), want"),
        (Stored(("storage", FLOATS, "0" * 65, "cpu", 2)), "want 'storage', type, key"),
    ],
)
def test_hostile_arguments(tmp_path: Path, layout: Format, value: object, message: str) -> None:
    with pytest.raises(RefusedCheckpointError, match=re.escape(message)):
        read(tmp_path, checkpoint(layout, {"weight": value}, {"0": PAIR}))


@both_formats
@pytest.mark.parametrize(
    ("shape", "strides", "offset", "message"),
    [
        ((3,), (1,), 0, "reaches element 2 of its storage"),
        ((2,), (1,), 1, "reaches element 2 of its storage"),
        ((), (), 2, "reaches element 2 of its storage"),
        ((2,), (2**62,), 0, f"reaches element {2**62} of its storage"),
        ((2,), (2**100,), 2**100, "reaches element"),
        ((2**63, 2**63), (1, 1), 0, "reaches element"),
        ((-1,), (1,), 0, "want no negative number"),
        ((2,), (-1,), 1, "want no negative number"),
        ((2,), (1,), -1, "want no negative number"),
        ((2,), (1, 1), 0, "want as many strides as axes"),
        ((), (1,), 0, "want as many strides as axes"),
        ((0, 2**60, 2**60), (0, 0, 0), 0, "want shorter axes beside the empty one"),
    ],
)
def test_tensors_beyond_their_storage(
    tmp_path: Path,
    layout: Format,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    offset: int,
    message: str,
) -> None:
    root = {"weight": tensor(storage("0", 2), shape, strides, offset=offset)}
    with pytest.raises(DamagedCheckpointError, match=re.escape(message)):
        read(tmp_path, checkpoint(layout, root, {"0": PAIR}))


@both_formats
@pytest.mark.parametrize("length", [10**4, 2**40, 2**100])
def test_a_few_bytes_do_not_become_a_large_tensor(
    tmp_path: Path, layout: Format, length: int
) -> None:
    root = {"weight": tensor(storage("0", 2), (length,), (0,))}
    with pytest.raises(RefusedCheckpointError, match=f"1 tensors of {4 * length} bytes in a file"):
        read(tmp_path, checkpoint(layout, root, {"0": PAIR}))


def test_many_tensors_do_not_become_large_on_one_storage(tmp_path: Path) -> None:
    shared = np.zeros(10_000, np.float32)
    root = {f"weight{index}": vector("0", shared.size) for index in range(20)}
    with pytest.raises(RefusedCheckpointError, match="20 tensors of 800000 bytes in a file of"):
        read(tmp_path, checkpoint("zip", root, {"0": shared}))


@both_formats
def test_a_duplicate_key(tmp_path: Path, layout: Format) -> None:
    item = to_pickle("weight")[2:-1] + to_pickle(vector())[2:-1]
    with pytest.raises(DamagedCheckpointError, match="has the key 'weight' twice"):
        read(tmp_path, around(layout, b"\x80\x02}(" + item * 2 + b"u."))


@both_formats
def test_a_storage_of_two_types(tmp_path: Path, layout: Format) -> None:
    halves = tensor(storage("0", 4, kind="float16"), (4,), (1,))
    with pytest.raises(DamagedCheckpointError, match="storage '0' of 4 elements"):
        read(tmp_path, checkpoint(layout, {"a": vector(), "b": halves}, {"0": PAIR}))


# Values that take too much time, memory or stack to traverse, hash, print or copy.
DEPTH = 100_000
DEEP = {
    "lists": b"]" * DEPTH + b"a" * (DEPTH - 1),
    "dicts": b"}N" * DEPTH + b"N" + b"s" * DEPTH,
    "tuples": b")" + b"\x85" * DEPTH,
    "tuples that are twice in each other": b")" + b"q\0h\0\x86" * DEPTH,
    "a list in itself": b"]q\0h\0a",
}


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("around_value", [b"%s", b"}%sNs", b"}N%ss", b"}X\1\0\0\0a%ss"])
def test_deep_values(tmp_path: Path, name: str, around_value: bytes) -> None:
    with pytest.raises(WrongWeightsError):
        read(tmp_path, around("zip", b"\x80\x02" + around_value % DEEP[name] + b"."))


def test_keys_of_equal_hash_take_no_time(tmp_path: Path) -> None:
    """A dict would compare each key with all before it, which takes hours."""
    modulus = sys.hash_info.modulus
    keys = b"".join(
        b"\x8a\x0c" + (index * modulus).to_bytes(12, "little") + b"N" for index in range(200_000)
    )
    with pytest.raises(WrongWeightsError, match="has 0 for a key"):
        read(tmp_path, around("zip", b"\x80\x02}(" + keys + b"u."))


@pytest.mark.parametrize(
    "opcodes",
    [
        b"".join(b"Nr" + struct.pack("<I", 2**32 - 1 - index) for index in range(99)) + b".",
        b"X" + struct.pack("<I", 2**32 - 1),
        b"\x8d" + struct.pack("<Q", 2**40),
        b"\x95" + struct.pack("<Q", 2**63) + b".",
        b"\x96" + struct.pack("<Q", 2**40),
    ],
)
def test_declared_sizes_take_no_memory(tmp_path: Path, opcodes: bytes) -> None:
    content = around("legacy", b"\x80\x04" + opcodes)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError):
            read(tmp_path, content)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 10**6


def test_opcodes_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = checkpoint("zip", {"weight": vector()}, {"0": PAIR})
    opcodes = sum(1 for _ in pickletools.genops(to_pickle({"weight": vector()})))
    monkeypatch.setattr(unpickler, "MAX_OPCODES", opcodes)
    assert list(read(tmp_path, content)) == ["weight"]
    monkeypatch.setattr(unpickler, "MAX_OPCODES", opcodes - 1)
    with pytest.raises(RefusedCheckpointError, match=f"more than {opcodes - 1} opcodes"):
        read(tmp_path, content)


def test_the_size_of_a_pickle_is_limited(tmp_path: Path) -> None:
    filler = b"X" + struct.pack("<I", 2**24) + bytes(2**24)
    with pytest.raises(RefusedCheckpointError, match=r"data.pkl' has \d+ bytes, want at most 16"):
        read(tmp_path, around("zip", b"\x80\x02" + filler + b"."))
    with pytest.raises(DamagedCheckpointError, match=r"pickle is cut at byte .* at most 16777216"):
        read(tmp_path, around("legacy", b"\x80\x02" + filler + b"."))


def test_messages_stay_short(tmp_path: Path) -> None:
    with pytest.raises(WrongWeightsError) as caught:
        read(tmp_path, checkpoint("zip", {"k" * 10**6: "v" * 10**6}))
    assert len(str(caught.value)) < 1000
