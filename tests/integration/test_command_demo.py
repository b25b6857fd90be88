"""`posewire demo`, as the first thing that a newcomer starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2

from posewire_server.sample import STILL

TIMEOUT = 300


def test_it_shows_a_server_at_work_and_leaves_pictures(tmp_path: Path) -> None:
    output = tmp_path / "new" / "demo"
    command = [sys.executable, "-W", "error", "-m", "posewire_cli", "demo"]
    answer = subprocess.run(
        [*command, "--frames", "30", "--output", str(output)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        cwd=tmp_path,
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Serving at 127.0.0.1:" in answer.stdout
    assert "\nstill.jpg: 512x384, 6 people\n" in answer.stdout
    assert "\nframe 25: 640x360, " in answer.stdout
    assert "30 frames in " in answer.stdout
    assert "30 answered, 0 skipped, 0 failed" in answer.stdout
    for stage in ("image decode", "queue", "letterbox", "inference", "grouping", "total"):
        assert f"\n{stage} " in answer.stdout
    assert answer.stdout.endswith(
        f"The server has stopped. Results:\n  {output / 'still.png'}\n  {output / 'clip.webm'}\n"
    )
    drawn, still = cv2.imread(str(output / "still.png")), cv2.imread(str(STILL))
    assert drawn.shape == still.shape
    assert (abs(drawn.astype(int) - still).max(axis=2) > 60).mean() > 0.005
    clip = cv2.VideoCapture(str(output / "clip.webm"))
    assert len(list(iter(lambda: clip.read()[0], False))) == 30
    assert sorted(each.name for each in output.iterdir()) == ["clip.webm", "still.png"]


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    answer = subprocess.run(
        [sys.executable, "-m", "posewire_cli", "demo", "--output", str(tmp_path / "taken")],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"posewire: --output {tmp_path / 'taken'}")
    assert answer.stderr.count("\n") == 1
