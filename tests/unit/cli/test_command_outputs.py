"""Commands check their outputs before they connect to a server or load a model.

Nothing listens at the address that these tests name, so a late check fails with another error.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from posewire_cli.command import main

SERVER = ["--server", "localhost:1"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("own.mp4", "a.png", "tree/x.jpg", "tree/deep/x.jpg", "pairs/x.jpg", "pairs/x.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"content")
    (tmp_path / "old.json").write_bytes(b"content")
    (tmp_path / "openpose").mkdir()
    (tmp_path / "openpose" / "own_000000000007_keypoints.json").write_bytes(b"content")
    (tmp_path / "net.xml").write_bytes(b"content")
    (tmp_path / "runs").touch()
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("stream --annotated own.mp4 own.mp4", "would overwrite the input own.mp4"),
        ("stream --annotated own.mp4 --overwrite own.mp4", "would overwrite the input own.mp4"),
        ("stream --annotated own.mp4 --overwrite file://CWD/own.mp4", "would overwrite the input"),
        ("stream --coco own.mp4 own.mp4", "--coco: own.mp4 would overwrite the input"),
        ("stream --coco tree own.mp4", "--coco tree: is a directory"),
        ("stream --annotated x.mkv own.mp4", "want one of .mp4, .avi, .webm"),
        ("stream --annotated nodir/o.mp4 own.mp4", "nodir: No such file or directory"),
        ("stream --coco old.json own.mp4", "old.json exists already, want new names"),
        ("stream --coco x.mp4 --annotated x.mp4 own.mp4", "both would be written to x.mp4"),
        ("stream --openpose openpose own.mp4", "own_000000000007_keypoints.json exists already"),
        ("predict --show a.png", "--show: no display"),
        ("stream --show own.mp4", "--show: no display"),
        ("predict --save tree", "runs: Not a directory"),
        ("stream --save own.mp4", "runs: Not a directory"),
        ("predict --coco a.png a.png", "--coco: a.png would overwrite the input a.png"),
        ("predict --annotated . a.png", "--annotated: a.png would overwrite the input a.png"),
        ("predict --annotated a.png a.png", "a.png: Not a directory"),
        (
            "predict --annotated out pairs",
            "--annotated of pairs/x.jpg and --annotated of pairs/x.p",
        ),
        ("predict --openpose openpose/ --coco openpose a.png", "--coco openpose: is a directory"),
        ("bench --image a.png --export-csv a.png", "would overwrite the input a.png"),
        ("bench --export-json old.json", "old.json exists already"),
        ("predict --model net.xml --coco net.xml --overwrite a.png", "overwrite the input net.xml"),
    ],
)
def test_what_would_be_lost_is_named_before_any_work(
    folder: Path, command: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    words = command.replace("CWD", str(folder)).split()
    target = [] if "--model" in words else SERVER
    assert main([words[0], *target, *words[1:]]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert complaint in err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("option", ["--coco", "--openpose", "--annotated"])
def test_an_empty_name_is_no_output(
    folder: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", *SERVER, option, "", "a.png"]) == 2
    assert "got an empty name, want a file or directory" in capsys.readouterr().err


def test_the_demo_replaces_on_request_only(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "still.png").touch()
    assert main(["demo", "--output", "."]) == 1
    assert "still.png exists already" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", ["--coco a.png", "--annotated ."])
def test_a_file_that_is_read_as_stdin_is_an_input(arguments: str, folder: Path) -> None:
    (folder / "stdin.png").hardlink_to(folder / "a.png")
    command = [sys.executable, "-m", "posewire_cli", "predict", "-", "--overwrite", *SERVER]
    with (folder / "a.png").open("rb") as stdin:
        ended = subprocess.run(
            [*command, *arguments.split()], stdin=stdin, capture_output=True, text=True, check=False
        )
    assert "would overwrite the input" in ended.stderr
    assert ended.returncode != 0
    assert (folder / "a.png").read_bytes() == b"content"
