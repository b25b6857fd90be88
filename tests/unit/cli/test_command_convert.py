from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from posewire_cli.command import main
from tests.reference.checkpoint_writer import checkpoint, storage, tensor
from tests.reference.model_server import ModelServer, Reply
from tests.reference.rule_weights import rule_weights, shapes_of_width
from tests.reference.small_models import converted_entry, use_catalog_of


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("POSEWIRE_CACHE", str(tmp_path / "cache"))


def narrow_checkpoint() -> bytes:
    """Make a checkpoint of HigherHRNet with width 2."""
    weights = {
        name: np.ascontiguousarray(values)
        for name, values in rule_weights(shapes_of_width(2).items(), seed=1).items()
    }
    state_dict = {
        name: tensor(
            storage(str(index), values.size),
            values.shape,
            tuple(stride // values.itemsize for stride in values.strides),
        )
        for index, (name, values) in enumerate(weights.items())
    }
    storages = {str(index): values for index, values in enumerate(weights.values())}
    return checkpoint("zip", state_dict, storages)


def assert_network(path: Path) -> None:
    model = ov.Core().read_model(path)
    assert {name for port in model.outputs for name in port.get_names()} == {
        "heatmaps",
        "embeddings",
    }


def test_fetch_converts_what_it_downloads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = narrow_checkpoint()
    with ModelServer({"/small.pth": [Reply(content, sent=1000), Reply(content)]}) as server:
        use_catalog_of(converted_entry(server.address, content=content), monkeypatch)
        for _ in range(2):
            assert main(["models", "fetch", "small"]) == 0
    path = tmp_path / "cache/small/fp32/small.xml"
    assert capsys.readouterr() == (f"{path}\n" * 2, "")
    assert server.ranges == [None, "bytes=1000-"]
    assert_network(path)


def test_convert_installs_a_checkpoint_under_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(narrow_checkpoint())
    path = tmp_path / "cache/higher-hrnet-w2/fp16/higher-hrnet-w2.xml"
    for _ in range(2):  # The second takes the place of the first.
        assert main(["models", "convert", "--checkpoint", str(file), "--precision", "fp16"]) == 0
        assert capsys.readouterr() == (f"{path}\n", "")
    assert_network(path)
    cache = tmp_path / "cache"
    assert [each.name for each in cache.iterdir()] == ["higher-hrnet-w2"]
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "higher-hrnet-w2.bin",
        "higher-hrnet-w2.xml",
    ]


def test_convert_writes_to_the_given_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(narrow_checkpoint())
    out = tmp_path / "models"
    assert main(["models", "convert", "--checkpoint", str(file), "--out", str(out)]) == 0
    assert capsys.readouterr() == (f"{out / 'higher-hrnet-w2.xml'}\n", "")
    assert_network(out / "higher-hrnet-w2.xml")
    assert not (tmp_path / "cache").exists()


def test_convert_replaces_on_request_and_never_its_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(narrow_checkpoint())
    command = ["models", "convert", "--checkpoint", str(file), "--out", str(tmp_path)]
    kept = tmp_path / "higher-hrnet-w2.xml"
    kept.write_text("mine")
    assert main(command) == 1
    assert f"{kept}: exists already" in capsys.readouterr().err
    assert kept.read_text() == "mine"
    assert main([*command, "--overwrite"]) == 0
    assert_network(kept)
    weights = kept.with_suffix(".bin")
    weights.write_bytes(file.read_bytes())
    same = ["models", "convert", "--checkpoint", str(weights), "--out", str(tmp_path)]
    assert main([*same, "--overwrite"]) == 1
    assert "would be overwritten" in capsys.readouterr().err
    assert weights.read_bytes() == file.read_bytes()
