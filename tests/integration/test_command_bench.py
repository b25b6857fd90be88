"""`posewire bench` against a server that sees one person for each brightness."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_cli.command import main
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

DELAY_SECS = 0.02


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    runner = PaintingRunner(person_of, capacity=2, delay=lambda: DELAY_SECS)
    with serving(painted_model(runner, size=SIDE)) as running:
        yield running.address


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "seven.png"
    cv2.imwrite(str(path), np.full((SIDE, SIDE, 3), 7, np.uint8))
    return path


@pytest.mark.parametrize("calls", ["unary", "stream"])
def test_figures_are_those_of_the_answers(
    server: str, image: Path, calls: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load = ["--calls", calls, "--concurrency", "2", "--seconds", "0.5", "--image", str(image)]
    assert main(["bench", "--server", server, *load, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["model"], figures["calls"], figures["failed"]) == ("painted", calls, 0)
    assert figures["images"] > 0
    per_second = figures["images"] / figures["seconds"]
    assert figures["images_per_second"] == pytest.approx(per_second)
    assert per_second <= 2 / DELAY_SECS
    times = figures["milliseconds"]
    assert times["inference"]["p50"] >= 1e3 * DELAY_SECS
    assert times["round_trip"]["p50"] >= times["total"]["p50"] >= times["inference"]["p50"]
    assert times["round_trip"]["p99"] >= times["round_trip"]["p90"] >= times["round_trip"]["p50"]


def test_a_table_tells_people(server: str, image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load = ["--seconds", "0.3", "--image", str(image)]
    assert main(["bench", "--server", server, *load]) == 0
    first, titles, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("painted: ")
    assert " images, unary calls, concurrency 1, " in first
    assert titles.split() == ["milliseconds", "p50", "p90", "p99"]
    assert rows[0].startswith("round trip ")
    assert rows[-1].startswith("total ")


def test_frames_that_fail_are_counted(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(b"noise")
    load = ["--calls", "stream", "--seconds", "0.3", "--image", str(path)]
    assert main(["bench", "--server", server, *load]) == 1
    assert "failed; first error: INVALID_ARGUMENT (IMAGE_UNDECODABLE)" in capsys.readouterr().out


def test_a_call_that_fails_is_one_line(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(b"noise")
    assert main(["bench", "--server", server, "--seconds", "0.3", "--image", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"posewire: server {server}: INVALID_ARGUMENT (IMAGE_UNDECODABLE): ")
    assert err.count("\n") == 1


def test_a_window_is_a_streams(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--server", "localhost:1", "--window", "2"]) == 2
    assert "--window: only with --calls stream" in capsys.readouterr().err
