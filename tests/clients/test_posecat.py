"""posecat prints what the Python client gets."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import cv2
import pytest

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.json_lines import JsonLines
from posewire_client import Client
from posewire_server.sample import CLIP
from tests.docs.code_blocks import ROOT

PROGRAM = ROOT / "build" / "clients" / "go" / "posecat"
TIMEOUT = 120
FRAMES = 3


@pytest.fixture
def program() -> Path:
    if not PROGRAM.exists():
        raise (pytest.fail if "CI" in os.environ else pytest.skip).Exception(
            f"no {PROGRAM}: make examplego builds it, with Go 1.26"
        )
    return PROGRAM


@pytest.fixture
def jpegs() -> list[bytes]:
    """The first frames of the sample clip."""
    video = cv2.VideoCapture(str(CLIP))
    frames = [video.read()[1] for _ in range(FRAMES)]
    return [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]


def printed_by_python(
    address: str, jpegs: list[bytes], capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    with Client(address) as client:
        lines = JsonLines(client.model().skeleton)
        for outcome in client.stream(jpegs):
            labels: dict[str, str | int] = {"source": "stdin", "frame": outcome.frame_id or 0}
            lines.write(AnsweredImage("", labels, 0, "", _no_pixels, outcome))
    return documents(capsys.readouterr().out)


def _no_pixels() -> Any:
    raise AssertionError("JSON lines need no pixels")


def documents(text: str) -> list[dict[str, Any]]:
    """The JSON lines without times, which differ from run to run."""
    read = [json.loads(line) for line in text.splitlines()]
    for each in read:
        assert each.pop("stage_millis").keys() >= {"inference", "total"}
    return read


def test_lines_are_those_of_the_python_client(
    program: Path, address: str, jpegs: list[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    expected = printed_by_python(address, jpegs, capsys)
    done = subprocess.run(
        [program, "-address", address, "-"],
        input=b"".join(jpegs),
        capture_output=True,
        timeout=TIMEOUT,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    got = documents(done.stdout.decode())
    assert [each["frame"] for each in got] == [1, 2, 3]
    assert sum(len(each["poses"]) for each in got) > 3
    assert got == expected
