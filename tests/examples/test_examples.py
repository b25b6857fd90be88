"""Each program in examples/ does what it documents, with a server of the bundled model."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_client import Client, Origin, Result
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.sample import CLIP, STILL
from posewire_server.serving.frames.served_model import ServedModel
from tests.reference.server_thread import serving

EXAMPLES = Path(__file__).parents[2] / "examples"
TIMEOUT = 120
FRAMES = 125
NOSE = 0
NEAR = 3  # pixels: the resize without letterbox moves keypoints a little


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    runner = RunnerOptions(inference_num_threads=1)
    with serving(ServedModel.load(installed_model("demo"), runner)) as running:
        yield running.address


@pytest.fixture(scope="module")
def still(server: str) -> Result:
    with Client(server) as client:
        return client.estimate(STILL)


@pytest.fixture(scope="module")
def people_in_clip(server: str) -> list[int]:
    with Client(server) as client:
        return [len(each.poses) for each in client.stream(frames()) if isinstance(each, Result)]


def frames() -> Iterator[np.ndarray]:
    clip = cv2.VideoCapture(str(CLIP))
    while (read := clip.read())[0]:
        yield read[1]


def run(name: str, *arguments: str | Path) -> str:
    command = [sys.executable, "-W", "error", EXAMPLES / name, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_example_is_tried() -> None:
    tried = re.findall(r'run\("(\w+\.py)"', Path(__file__).read_text())
    assert sorted(set(tried)) == sorted(path.name for path in EXAMPLES.glob("*.py"))


def test_an_image_is_printed_person_by_person(server: str, still: Result) -> None:
    first, *lines = run("estimate_image.py", server, STILL).splitlines()
    assert first == f"{len(still.poses)} people, 512×384 pixels"
    scores = [line for line in lines if line.startswith("score")]
    assert scores == [f"score {pose.score:.2f}" for pose in still.poses]
    nose = still.poses[0][NOSE]
    assert f"  nose at {nose.x:.1f}, {nose.y:.1f}" in lines


def test_a_video_is_answered_frame_by_frame(server: str, people_in_clip: list[int]) -> None:
    assert len(people_in_clip) == FRAMES
    lines = run("stream_video.py", server, CLIP).splitlines()
    assert lines == [f"frame {i}: {count} people" for i, count in enumerate(people_in_clip, 1)]


def test_a_live_source_is_followed(server: str, people_in_clip: list[int]) -> None:
    *lines, last = run("live_camera.py", server, CLIP).splitlines()
    numbers = re.fullmatch(r"(\d+) frames answered, (\d+) skipped", last)
    assert numbers
    answered, skipped = map(int, numbers.groups())
    assert answered + skipped == FRAMES
    assert len(lines) == answered > 0
    every = [f"frame {i}: {count} people" for i, count in enumerate(people_in_clip, 1)]
    assert set(lines) <= set(every)


def test_people_are_drawn(server: str, still: Result, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.png"
    run("draw_poses.py", server, STILL, drawn)
    before, after = cv2.imread(str(STILL)), cv2.imread(str(drawn))
    changed = (before != after).any(axis=2)
    assert 0 < changed.mean() < 0.2
    for pose in still.poses:
        x, y = pose.keypoints[pose.origins == Origin.DETECTED].astype(int).T
        inside = (x >= 0) & (x < 512) & (y >= 0) & (y < 384)
        assert changed[y[inside], x[inside]].mean() > 0.5


def test_maps_of_a_network_of_ones_own_are_decoded(still: Result) -> None:
    lines = run("decode_maps.py", STILL).splitlines()
    noses = [re.fullmatch(r"score 0\.\d\d, nose at ([-\d.]+), ([-\d.]+)", each) for each in lines]
    assert all(noses)
    best = still.poses[0][NOSE]
    assert float(noses[0][1]) == pytest.approx(best.x, abs=NEAR)
    assert float(noses[0][2]) == pytest.approx(best.y, abs=NEAR)
    assert abs(len(lines) - len(still.poses)) <= 1


def test_people_are_found_without_a_server(still: Result) -> None:
    lines = run("without_server.py", STILL).splitlines()
    assert lines == [
        f"score {pose.score:.2f}, nose at {pose[NOSE].x:.1f}, {pose[NOSE].y:.1f}"
        for pose in still.poses
    ]
