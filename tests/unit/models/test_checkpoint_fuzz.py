from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posewire_server.models.checkpoint import read_checkpoint
from posewire_server.models.checkpoint.unpickler import OPCODES
from posewire_server.models.errors import CheckpointError
from tests.reference.checkpoint_writer import (
    Call,
    Name,
    Stored,
    legacy_checkpoint,
    storage,
    tensor,
    to_pickle,
    zip_checkpoint,
)

FILES = sorted((Path(__file__).parents[2] / "golden/checkpoints").glob("*.pth"))
ZIPPED = [path for path in FILES if zipfile.is_zipfile(path)]

# Reproducible examples; all examples of a test write the same file in one folder.
fuzzing = settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read_or_refuse(folder: Path, content: bytes) -> bool:
    """Return whether the content is read; assert bounded tensors, or a `CheckpointError`."""
    path = folder / "net.pth"
    # On some file systems overwriting takes a hundred times as long as writing a new file.
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    try:
        tensors = read_checkpoint(path)
    except CheckpointError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith(f"{path}: ")
        assert len(refusal) < 2000
        return False
    # Tensors may have twice the size of the file, and bfloat16 doubles as float32.
    assert sum(values.nbytes for values in tensors.values()) <= 4 * len(content)
    assert all(values.flags.c_contiguous for values in tensors.values())
    return True


def by_name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_a_file_that_ends_early_is_refused(tmp_path: Path, path: Path) -> None:
    content = path.read_bytes()
    read = [end for end in range(len(content)) if read_or_refuse(tmp_path, content[:end])]
    assert read == []


@st.composite
def mutations(draw: st.DrawFn, content: bytes) -> bytes:
    """Change, remove, insert or copy some bytes of the content."""
    mutated = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(mutated)))
        until = min(len(mutated), at + draw(st.integers(0, 8)))
        start = draw(st.integers(0, len(content)))
        mutated[at:until] = draw(
            st.binary(max_size=8)
            | st.just(content[start : start + draw(st.integers(0, 40))])
            | st.sampled_from([*OPCODES])
        )
    return bytes(mutated)


@pytest.mark.parametrize("path", FILES, ids=by_name)
def test_mutated_files(tmp_path: Path, path: Path) -> None:
    @fuzzing
    @given(mutations(path.read_bytes()))
    def check(content: bytes) -> None:
        read_or_refuse(tmp_path, content)

    check()


@pytest.mark.parametrize("path", ZIPPED, ids=by_name)
def test_mutated_pickles_in_sound_archives(tmp_path: Path, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if "/data/" in name]
        held = {
            name.rpartition("/")[2]: np.frombuffer(archive.read(name), np.uint8) for name in names
        }
        root = archive.read(f"{path.stem}/data.pkl")

    @fuzzing
    @given(mutations(root))
    def check(pickle: bytes) -> None:
        read_or_refuse(tmp_path, zip_checkpoint(pickle, held))

    assert read_or_refuse(tmp_path, zip_checkpoint(root, held))
    check()


NUMBERS = st.integers(-3, 12) | st.sampled_from([2**31, 2**63 - 1, 2**64, -(2**63), 2**100])
SCALARS = st.none() | st.booleans() | st.text(max_size=3) | st.floats() | NUMBERS
SHAPES = st.lists(NUMBERS, max_size=4).map(tuple)
STORAGES = st.builds(
    storage, st.sampled_from("01"), NUMBERS, kind=st.sampled_from(["float32", "bfloat16", "bool"])
)
NAMES = st.builds(
    Name,
    st.sampled_from(["torch", "torch._utils", "collections", "os"]),
    st.sampled_from(["FloatStorage", "_rebuild_tensor_v2", "_rebuild_parameter", "OrderedDict"]),
)
TENSORS = st.builds(tensor, STORAGES | SCALARS, SHAPES, SHAPES, offset=NUMBERS)
VALUES = st.recursive(
    SCALARS | TENSORS | NAMES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=6).map(tuple)
        | st.dictionaries(st.sampled_from(["state_dict", "model", "weight", "module.a"]), inner)
        | st.builds(Stored, inner)
        | st.builds(Call, NAMES | inner, inner, inner)
    ),
    max_leaves=12,
)


@fuzzing
@given(root=VALUES, bytes_held=st.sampled_from([0, 4, 8, 48]))
def test_random_values(tmp_path: Path, root: object, bytes_held: int) -> None:
    held = {key: np.zeros(bytes_held, np.uint8) for key in "01"}
    read_or_refuse(tmp_path, zip_checkpoint(to_pickle({"weight": root}), held))
    read_or_refuse(tmp_path, legacy_checkpoint(to_pickle({"weight": root}), held))


ARGUMENTS = st.binary(max_size=3) | st.sampled_from([bytes(4), b"\1\0\0\0a", b"\xff" * 8])


@fuzzing
@given(st.lists(st.tuples(st.sampled_from([*OPCODES]), ARGUMENTS), max_size=60))
def test_opcodes_in_any_order(tmp_path: Path, opcodes: list[tuple[bytes, bytes]]) -> None:
    pickle = b"}" + b"".join(code + argument for code, argument in opcodes) + b"."
    read_or_refuse(tmp_path, zip_checkpoint(pickle, {}))
