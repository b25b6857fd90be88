from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from posewire_server.models import convert
from posewire_server.models.convert import convert_checkpoint
from posewire_server.models.errors import DamagedCheckpointError, WrongWeightsError
from posewire_server.models.higher_hrnet import higher_hrnet
from tests.reference.checkpoint_writer import FORMATS, Format, checkpoint, storage, tensor
from tests.reference.network import Network
from tests.reference.rule_weights import rule_weights, shapes_of_width

Weights = dict[str, NDArray[Any]]

IMAGE = np.random.default_rng(3).integers(0, 256, (1, 32, 64, 3), np.uint8)


def narrow_weights(*, seed: int = 1) -> Weights:
    return dict(rule_weights(shapes_of_width(2).items(), seed=seed))


def write(path: Path, weights: Weights, *, layout: Format = "zip") -> Path:
    """Write the weights as a checkpoint."""
    state_dict = {
        name: tensor(
            storage(str(index), values.size, kind=str(values.dtype)),
            values.shape,
            tuple(stride // values.itemsize for stride in values.strides),
        )
        for index, (name, values) in enumerate(weights.items())
    }
    storages = {str(index): values for index, values in enumerate(weights.values())}
    path.write_bytes(checkpoint(layout, state_dict, storages))
    return path


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    return write(tmp_path / "narrow.pth", narrow_weights())


def answer_of(path: Path) -> dict[str, NDArray[Any]]:
    return Network(ov.Core().read_model(path)).run(IMAGE)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("layout", FORMATS)
def test_the_files_hold_the_network_of_the_checkpoint(tmp_path: Path, layout: Format) -> None:
    weights = narrow_weights()
    file = write(tmp_path / "narrow.pth", weights, layout=layout)
    models = tmp_path / "not" / "yet there"
    path = convert_checkpoint(file, directory=models)
    assert path == models / "higher-hrnet-w2.xml"
    assert sorted(contents(models)) == ["higher-hrnet-w2.bin", "higher-hrnet-w2.xml"]
    wanted = Network(higher_hrnet(weights)).run(IMAGE)
    for name, values in answer_of(path).items():
        np.testing.assert_allclose(values, wanted[name], rtol=1e-5, atol=1e-5)


def test_the_name_is_an_option(tmp_path: Path, narrow: Path) -> None:
    path = convert_checkpoint(narrow, directory=tmp_path / "models", name="dancers.v2")
    assert path == tmp_path / "models/dancers.v2.xml"
    assert sorted(contents(path.parent)) == ["dancers.v2.bin", "dancers.v2.xml"]
    assert answer_of(path)["heatmaps"].shape == (1, 17, 16, 32)


@pytest.mark.parametrize("name", ["", "a/b", "../a", "/a"])
def test_a_name_with_folders_is_refused(tmp_path: Path, narrow: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"name is '{name}', want a file name"):
        convert_checkpoint(narrow, directory=tmp_path / "models", name=name)
    assert not (tmp_path / "models").exists()


def test_an_unknown_precision_is_refused(tmp_path: Path, narrow: Path) -> None:
    with pytest.raises(ValueError, match=r"precision is 'int8', want one of .*fp16"):
        convert_checkpoint(narrow, directory=tmp_path / "models", precision="int8")  # type: ignore[arg-type]


def test_fp16_halves_the_size_and_computes_nearly_the_same(tmp_path: Path, narrow: Path) -> None:
    single = convert_checkpoint(narrow, directory=tmp_path / "fp32")
    half = convert_checkpoint(narrow, directory=tmp_path / "fp16", precision="fp16")
    single_bytes, half_bytes = (path.with_suffix(".bin").stat().st_size for path in (single, half))
    assert half_bytes == pytest.approx(single_bytes / 2, rel=0.01)
    answer, wanted = answer_of(half), answer_of(single)
    assert answer.keys() == {"heatmaps", "embeddings"}
    for name, values in answer.items():
        assert values.dtype == np.float32
        error = np.abs(np.abs(values) - np.abs(wanted[name])).max()
        assert 0 < error < 0.01 * np.abs(wanted[name]).max()


def test_the_graph_records_its_origin_without_paths(tmp_path: Path) -> None:
    file = write(tmp_path / 'of "5" & <é>.pth', narrow_weights())
    path = convert_checkpoint(file, directory=tmp_path / "models", precision="fp16")
    model = ov.Core().read_model(path)
    told = {
        key: model.get_rt_info(["posewire", key]).astype(str)
        for key in model.get_rt_info("posewire").astype(dict)
    }
    assert told.pop("posewire_version")[0].isdigit()
    assert told == {
        "model": "higher-hrnet-w2",
        "precision": "fp16",
        "checkpoint": 'of "5" & <é>.pth',
        "checkpoint_sha384": hashlib.sha384(file.read_bytes()).hexdigest(),
    }
    for content in contents(path.parent).values():
        assert os.fsencode(tmp_path) not in content


def test_a_file_name_that_is_not_utf8_is_accepted(tmp_path: Path) -> None:
    file = write(tmp_path / os.fsdecode(b"\xff.pth"), narrow_weights())
    path = convert_checkpoint(file, directory=tmp_path / "models")
    model = ov.Core().read_model(path)
    assert (
        model.get_rt_info(["posewire", "checkpoint"]).astype(str) == "\N{REPLACEMENT CHARACTER}.pth"
    )


def test_errors_name_the_checkpoint_and_leave_nothing(tmp_path: Path) -> None:
    models = tmp_path / "models"
    weights = narrow_weights()
    del weights["bn1.bias"]
    file = write(tmp_path / "short.pth", weights)
    with pytest.raises(WrongWeightsError, match=r"^/.*/short\.pth: .* 1 missing \(bn1\.bias\)$"):
        convert_checkpoint(file, directory=models)
    diverged = narrow_weights()
    diverged["bn1.bias"] = np.full(64, np.nan, np.float32)
    file = write(tmp_path / "diverged.pth", diverged)
    with pytest.raises(WrongWeightsError, match=r"^/.*/diverged\.pth: conv1: "):
        convert_checkpoint(file, directory=models)
    file.write_bytes(b"#!/bin/sh\n")
    with pytest.raises(DamagedCheckpointError, match=r"^/.*/diverged\.pth: begins with"):
        convert_checkpoint(file, directory=models)
    with pytest.raises(FileNotFoundError, match=r"absent\.pth"):
        convert_checkpoint(tmp_path / "absent.pth", directory=models)
    assert not models.exists()


@contextmanager
def no_file_beyond(length: int) -> Iterator[None]:
    """Make writing fail in the middle of a file, like a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_failed_write_leaves_the_older_files(tmp_path: Path, narrow: Path) -> None:
    models = tmp_path / "models"
    convert_checkpoint(narrow, directory=models)
    before = contents(models)
    other = write(tmp_path / "other.pth", narrow_weights(seed=2))
    with no_file_beyond(100_000), pytest.raises(OSError, match=r"w2\.xml: could not be written"):
        convert_checkpoint(other, directory=models)
    assert contents(models) == before
    convert_checkpoint(other, directory=models)
    assert contents(models).keys() == before.keys()
    assert contents(models)["higher-hrnet-w2.bin"] != before["higher-hrnet-w2.bin"]


def test_a_network_that_is_in_use_is_not_disturbed(tmp_path: Path, narrow: Path) -> None:
    path = convert_checkpoint(narrow, directory=tmp_path / "models")
    wanted = answer_of(path)
    in_use = ov.Core().read_model(path)  # maps the .bin into memory and reads it later
    other = write(tmp_path / "other.pth", narrow_weights(seed=2))
    assert convert_checkpoint(other, directory=path.parent) == path
    replaced = answer_of(path)
    for name, values in Network(in_use).run(IMAGE).items():
        np.testing.assert_array_equal(values, wanted[name])
        assert not np.array_equal(values, replaced[name])


def test_the_weights_are_in_place_before_the_graph(
    tmp_path: Path, narrow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers never find an .xml without its .bin."""
    models = tmp_path / "models"
    seen: list[list[str]] = []
    replace = os.replace

    def replaced(source: Path, target: Path) -> None:
        replace(source, target)
        seen.append(sorted(file.name for file in models.iterdir() if file.is_file()))

    monkeypatch.setattr(convert.os, "replace", replaced)
    convert_checkpoint(narrow, directory=models)
    assert seen == [
        ["higher-hrnet-w2.bin"],
        ["higher-hrnet-w2.bin", "higher-hrnet-w2.xml"],
    ]
