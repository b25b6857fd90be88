"""`posewire predict --engine ray` without Ray."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from posewire_cli.command import main
from posewire_cli.source.image_files import find_images
from posewire_cli.source.source_image import SourceImage
from posewire_server.sample import STILL

PREDICT = ("predict", "--engine", "ray")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--server", "127.0.0.1:1", str(STILL)], "--engine ray: not with --server, want --model"),
        (["--model", "demo", "-"], "-: other nodes cannot read standard input"),
    ],
)
def test_wrong_usage_is_reported(
    words: list[str], fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*PREDICT, *words]) == 2
    assert fault in capsys.readouterr().err


def test_a_missing_package_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] == "posewire_ray" or name == "posewire_cli.source.object_store":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main([*PREDICT, "--model", "demo", str(STILL)]) == 1
    error = capsys.readouterr().err
    assert error.endswith("run: pip install 'posewire[ray]'\n")


def test_only_addresses_of_object_stores_are_searched_there(tmp_path: Path) -> None:
    asked = []

    def find_objects(address: str, recursive: bool) -> list[SourceImage]:
        asked.append((address, recursive))
        return [SourceImage(f"{address}/x.jpg", "x", bytes)]

    arguments = [str(STILL), "s3://bucket/a", "https://example.com/y.jpg"]
    images = find_images(arguments, recursive=True, find_objects=find_objects)
    assert [image.name for image in images] == [
        str(STILL),
        "s3://bucket/a/x.jpg",
        "https://example.com/y.jpg",
    ]
    assert asked == [("s3://bucket/a", True)]
    assert find_images(["s3://bucket/a"])[0].is_absent
