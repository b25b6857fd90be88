from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from posewire_server.models.checkpoint import read_checkpoint
from posewire_server.models.errors import CheckpointError, DamagedCheckpointError, WrongWeightsError
from tests.reference.checkpoint_writer import (
    FORMATS,
    ORDERED_DICT,
    Call,
    Format,
    Name,
    checkpoint,
    legacy_checkpoint,
    read,
    storage,
    tensor,
    to_pickle,
    vector,
    zip_checkpoint,
)

GOLDEN = Path(__file__).parents[2] / "golden/checkpoints"

both_formats = pytest.mark.parametrize("layout", FORMATS)


def pair(first: float = 1.0, second: float = 2.0) -> NDArray[np.float32]:
    return np.array([first, second], np.float32)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.pth")), ids=lambda path: path.stem)
def test_golden_files_hold_what_was_saved(path: Path) -> None:
    tensors = read_checkpoint(path)
    with np.load(GOLDEN / "tiny_expected.npz") as expected:
        assert list(tensors) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(tensors[name], values, strict=True)


def test_there_are_golden_files() -> None:
    assert len([*GOLDEN.glob("*.pth")]) == 4


@both_formats
def test_arrays_are_contiguous_read_only_and_share_memory_where_tensors_do(
    tmp_path: Path, layout: Format
) -> None:
    held = storage("0", 6)
    root = {
        "whole": tensor(held, (2, 3), (3, 1)),
        "tied": tensor(held, (6,), (1,)),
        "turned": tensor(held, (3, 2), (1, 3)),
    }
    tensors = read(tmp_path, checkpoint(layout, root, {"0": np.arange(6, dtype=np.float32)}))
    assert np.shares_memory(tensors["whole"], tensors["tied"])
    np.testing.assert_array_equal(tensors["turned"], [[0, 3], [1, 4], [2, 5]])
    for values in tensors.values():
        assert values.flags.c_contiguous
        assert not values.flags.writeable


@both_formats
@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
def test_elements_keep_their_type(tmp_path: Path, layout: Format, dtype: str) -> None:
    values = np.array([0, 1, 100]).astype(dtype)
    root = {"values": tensor(storage("0", 3, kind=dtype), (3,), (1,))}
    tensors = read(tmp_path, checkpoint(layout, root, {"0": values}))
    np.testing.assert_array_equal(tensors["values"], values, strict=True)


@both_formats
def test_bfloat16_becomes_float32(tmp_path: Path, layout: Format) -> None:
    values = np.array([[1.0, -0.0, np.inf], [2.0**100, 0.15625, 3e-39]], np.float32)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    held = storage("0", 6, kind="bfloat16")
    root = {"turned": tensor(held, (3, 2), (1, 3)), "one": tensor(held, (), (), offset=4)}
    tensors = read(tmp_path, checkpoint(layout, root, {"0": bits}))
    exact = (bits.astype(np.uint32) << 16).view(np.float32)
    np.testing.assert_array_equal(tensors["turned"], exact.T, strict=True)
    np.testing.assert_array_equal(tensors["one"], np.array(0.15625, np.float32), strict=True)


def test_every_byte_but_0_is_true(tmp_path: Path) -> None:
    root = {"values": tensor(storage("0", 3, kind="bool"), (3,), (1,))}
    tensors = read(tmp_path, checkpoint("zip", root, {"0": np.array([0, 1, 0x80], np.uint8)}))
    assert tensors["values"].view(np.uint8).tolist() == [0, 1, 1]


@both_formats
@pytest.mark.parametrize("shape", [(), (0,), (0, 7), (3, 0), (1, 1)])
def test_empty_and_scalar_shapes(tmp_path: Path, layout: Format, shape: tuple[int, ...]) -> None:
    # The stride of an axis of length 0 or 1 may be any number.
    strides = tuple(10**30 for _ in shape)
    count = int(np.prod(shape))
    root = {"values": tensor(storage("0", count), shape, strides)}
    tensors = read(tmp_path, checkpoint(layout, root, {"0": np.ones(count, np.float32)}))
    np.testing.assert_array_equal(tensors["values"], np.ones(shape, np.float32), strict=True)


@given(data=st.data(), layout=st.sampled_from(FORMATS))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
def test_views_are_those_of_numpy(tmp_path: Path, data: st.DataObject, layout: Format) -> None:
    shape = data.draw(array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    strides = tuple(data.draw(st.integers(0, 9)) for _ in shape)
    offset = data.draw(st.integers(0, 5))
    last = offset + sum(
        (length - 1) * stride for length, stride in zip(shape, strides, strict=True)
    )
    count = data.draw(st.integers(max(1, last - 1), last + 40))
    values = np.arange(count, dtype=np.int16)
    root = {"view": tensor(storage("k", count, kind="int16"), shape, strides, offset=offset)}
    content = checkpoint(layout, root, {"k": values})
    if 0 not in shape and last >= count:
        with pytest.raises(DamagedCheckpointError, match=f"reaches element {last} of its storage"):
            read(tmp_path, content)
        return
    if np.prod(shape) * values.itemsize > 2 * len(content):
        return
    wanted: NDArray[Any] = np.empty(shape, np.int16)
    if 0 not in shape:
        wanted = as_strided(values[offset:], shape, [stride * 2 for stride in strides])
    np.testing.assert_array_equal(read(tmp_path, content)["view"], wanted, strict=True)


@both_formats
@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_the_state_dict_is_found_under_its_key(tmp_path: Path, layout: Format, key: str) -> None:
    training = {"epoch": 3, "other": vector("0"), "lr": 0.1, key: {"weight": vector("1")}}
    storages = {"0": pair(), "1": pair(3, 4)}
    tensors = read(tmp_path, checkpoint(layout, training, storages))
    assert {name: values.tolist() for name, values in tensors.items()} == {"weight": [3, 4]}


def test_state_dict_precedes_model_which_may_be_a_name(tmp_path: Path) -> None:
    held = {"0": pair()}
    both = {"model": {"no": vector()}, "state_dict": {"yes": vector()}}
    assert list(read(tmp_path, checkpoint("zip", both, held))) == ["yes"]
    named = {"model": "pose_higher_hrnet", "state_dict": {"yes": vector()}}
    assert list(read(tmp_path, checkpoint("zip", named, held))) == ["yes"]
    assert list(read(tmp_path, checkpoint("zip", {"model": vector()}, held))) == ["model"]


@both_formats
def test_other_parts_of_a_training_state_are_left_out(tmp_path: Path, layout: Format) -> None:
    optimizer = {
        "state": {0: {"step": 5, "momentum": vector("1")}},
        "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0], "amsgrad": False}],
    }
    root = {"weight": vector("0"), "optimizer": optimizer, "epoch": None}
    tensors = read(tmp_path, checkpoint(layout, root, {"0": pair(), "1": pair()}))
    assert list(tensors) == ["weight"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["module.a.w", "module.b"], ["a.w", "b"]),
        (["1.a.w", "1.b"], ["a.w", "b"]),
        (["module.1.a", "module.1.b"], ["a", "b"]),
        (["1.module.a"], ["module.a"]),
        (["module.module.a"], ["module.a"]),
        (["module.a", "b"], ["module.a", "b"]),
        (["1.a", "2.b"], ["1.a", "2.b"]),
        (["modules.a", "11.b"], ["modules.a", "11.b"]),
    ],
)
def test_a_prefix_of_all_names_is_dropped(
    tmp_path: Path, names: list[str], wanted: list[str]
) -> None:
    root = dict.fromkeys(names, vector())
    assert list(read(tmp_path, checkpoint("zip", root, {"0": pair()}))) == wanted


@both_formats
def test_ordered_dicts_with_metadata_and_parameters(tmp_path: Path, layout: Format) -> None:
    rebuild = Name("torch._utils", "_rebuild_parameter")
    parameter = Call(rebuild, (vector(), True, Call(ORDERED_DICT, ())))
    metadata = {"_metadata": Call(ORDERED_DICT, ())}
    empty = to_pickle(Call(ORDERED_DICT, (), metadata))[:-1]
    items = b"".join(to_pickle(each)[2:-1] for each in ("weight", parameter))
    write = zip_checkpoint if layout == "zip" else legacy_checkpoint
    tensors = read(tmp_path, write(empty + b"(" + items + b"u.", {"0": pair()}))
    assert tensors["weight"].tolist() == [1, 2]


def test_storages_of_unwanted_tensors_are_not_read(tmp_path: Path) -> None:
    root = {"state_dict": {"weight": vector("1")}, "optimizer": [vector("0")]}
    content = checkpoint("zip", root, {"0": pair(5, 6), "1": pair()})
    spoilt = content.replace(pair(5, 6).tobytes(), pair(7, 8).tobytes())
    assert spoilt != content
    assert read(tmp_path, spoilt)["weight"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (vector(), "holds a tensor, want a dict of tensors"),
        ([vector()], "holds a list of 1, want a dict"),
        (None, "holds None, want a dict"),
        ({}, "no tensor but {}, want tensors by name"),
        ({"epoch": 3, "a": {}}, "no tensor but {'epoch': 3, 'a': a dict of 0}"),
        ({"state_dict": {"a": [vector()]}, "b": vector()}, "no tensor but {'a': a list of 1}"),
        ({3: vector()}, "has 3 for a key"),
        ({"state_dict": {(): vector()}}, "has a tuple of 0 for a key"),
        ({"a\nb": vector()}, r"has 'a\nb' for a key, want printable strings"),
    ],
)
def test_errors_describe_what_is_not_a_state_dict(
    tmp_path: Path, root: object, message: str
) -> None:
    with pytest.raises(WrongWeightsError, match=re.escape(message)):
        read(tmp_path, checkpoint("zip", root, {"0": pair()}))


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=f"^{re.escape(str(tmp_path / 'net.pth'))}: "):
        read(tmp_path, b"")


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_checkpoint(tmp_path / "absent.pth")
