from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_cli.command import main
from posewire_cli.command.configured_models import ConfiguredModels
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.command.serve import ListenOptions
from posewire_server.sample import CLIP, STILL, is_sample
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

WARNING = "posewire: warning: the model demo is trained on drawn people only"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    nobody = PaintingRunner(np.zeros((0, 17, 2)))
    models = [painted_model(nobody, name=name) for name in ("demo", "other")]
    with serving(*models) as running:
        yield running.address


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((64, 64, 3), number, np.uint8))
    return tmp_path


@pytest.mark.parametrize(
    ("model", "warnings"), [([], 1), (["--model", "demo"], 1), (["--model", "other"], 0)], ids=str
)
def test_predict_warns_once(
    server: str,
    photos: Path,
    model: list[str],
    warnings: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["predict", "--server", server, *model, str(STILL), str(photos)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert (err.count(WARNING), len(err.splitlines())) == (warnings, warnings)


def test_predict_does_not_warn_of_samples(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copy(STILL, tmp_path / "people.jpg")
    assert main(["predict", "--server", server, str(STILL), str(copy)]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("is_bundled", [True, False])
def test_stream_warns_unless_the_clip_is_bundled(
    server: str, tmp_path: Path, is_bundled: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = CLIP
    if not is_bundled:
        clip = tmp_path / "other.avi"
        writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 64))
        for _ in range(2):
            writer.write(np.zeros((64, 64, 3), np.uint8))
        writer.release()
    assert main(["stream", "--server", server, "--frames", "2", str(clip)]) == 0
    assert capsys.readouterr().err.count(WARNING) == (0 if is_bundled else 1)


def test_serve_warns_when_it_starts(capsys: pytest.CaptureFixture[str]) -> None:
    options = {"listen": ListenOptions(model=("demo",)), "network": NetworkOptions(threads=1)}
    ConfiguredModels(options, dict).load()
    assert capsys.readouterr().err.count(WARNING) == 1


def test_only_copies_of_the_samples_are_samples(tmp_path: Path) -> None:
    edited = tmp_path / "still.jpg"
    edited.write_bytes(STILL.read_bytes()[:-1] + b"!")
    assert is_sample(CLIP)
    assert is_sample(shutil.copy(CLIP, tmp_path / "copy.mp4"))
    for other in (edited, tmp_path, tmp_path / "none", "rtsp://camera/live", "0", "-", "x\0y"):
        assert not is_sample(other)
