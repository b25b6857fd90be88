"""`posewire eval --video` against a server that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posewire_cli.command import main
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

COUNT = 12
VIDEO = "walk.avi"


def grey(number: int) -> np.ndarray:
    """Return a frame in which the model finds a person, further to the right with each number."""
    return np.full((SIDE, SIDE, 3), 3 * number, np.uint8)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(painted_model(PaintingRunner(person_of, capacity=2), size=SIDE)) as running:
        yield running.address


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same clip as a video and as images, and who is in it."""
    directory = tmp_path_factory.mktemp("clips")
    writer = cv2.VideoWriter(
        str(directory / VIDEO), cv2.VideoWriter.fourcc(*"FFV1"), 25, (SIDE, SIDE)
    )
    (directory / "frames").mkdir()
    images, annotations = [], []
    for number in range(COUNT):
        frame = grey(number)
        writer.write(frame)
        name = f"frames/{number}.png"
        cv2.imwrite(str(directory / name), frame)
        images.append({"id": number, "file_name": name})
        keypoints = person_of(frame)[0]
        annotations.append(
            {
                "id": number + 1,
                "image_id": number,
                "category_id": 1,
                "track_id": 4,
                "keypoints": np.column_stack([keypoints, np.full(17, 2)]).ravel().tolist(),
                "area": float(np.prod(np.ptp(keypoints, axis=0))),
            }
        )
    writer.release()
    categories = [{"id": 1, "name": "person"}]
    content = {"images": images, "categories": categories, "annotations": annotations}
    (directory / "truth.json").write_text(json.dumps(content))
    return directory


def arguments(clips: Path, source: str, *more: str) -> list[str]:
    return [
        "eval",
        "--video",
        str(clips / source),
        "--annotations",
        str(clips / "truth.json"),
        *more,
    ]


@pytest.mark.parametrize("source", [VIDEO, ""], ids=["file", "directory"])
def test_a_person_who_is_followed_has_good_figures(
    source: str, server: str, clips: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.json"
    more = ["--server", server, "--json", "--results", str(results)]
    assert main(arguments(clips, source, *more)) == 0
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (figures.pop("model"), figures.pop("frames")) == ("painted", COUNT)
    assert figures.pop("switches") == 0
    assert figures.keys() == {"hota", "det_a", "ass_a", "idf1", "mota"}
    # The first frame may have no id: a second one confirms the track.
    assert all(share > 0.7 for share in figures.values())
    assert figures["mota"] >= (COUNT - 1) / COUNT
    found = json.loads(results.read_text())
    assert [each["image_id"] for each in found] == [*range(COUNT)]
    assert {each.get("track_id") for each in found[1:]} == {1}


def test_figures_are_printed_in_percent(
    server: str, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--server", server, "--limit", "5", "--smooth"]
    assert main(arguments(clips, VIDEO, *more)) == 0
    title, names, shares = capsys.readouterr().out.splitlines()
    assert title == "painted on 5 annotated frames, in percent"
    assert names.split() == ["HOTA", "DetA", "AssA", "IDF1", "MOTA", "id", "switches"]
    assert [float(each) > 50 for each in shares.split()] == [True] * 5 + [False]


def test_the_rate_of_a_directory_is_that_of_its_capture_times(
    server: str, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a frame in ten seconds, every track is over before the next frame."""
    assert main(arguments(clips, "", "--server", server, "--rate", "0.1", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["idf1"] < 0.3


def test_the_flip_test_runs_the_network_twice_for_each_frame(
    clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = PaintingRunner(person_of)
    with serving(painted_model(runner, size=SIDE)) as running:
        before = len(runner.images)  # of the warm-up
        more = ["--server", running.address, "--limit", "3", "--flip-test"]
        assert main(arguments(clips, VIDEO, *more)) == 0
        assert len(runner.images) - before == 2 * 3
    assert "painted on 3 annotated frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (["--images", "."], "one of --images and --video is required"),
        (["--rate", "5"], "--rate: only with --video for a directory of frames"),
        (["--model", "demo", "--size", "64"], "--size: not with --video"),
    ],
)
def test_what_does_not_go_together_is_an_error_of_usage(
    clips: Path, change: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = [] if "--model" in change else ["--server", "localhost:1"]
    assert main(arguments(clips, VIDEO, *target, *change)) == 2
    assert complaint in capsys.readouterr().err


def test_smoothing_is_for_videos(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--images", str(clips), "--annotations", str(clips / "truth.json"), "--smooth"]
    assert main(["eval", "--model", "demo", *given]) == 2
    assert "--smooth: only with --video" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "results", "complaint"),
    [
        ("none.mp4", "new.json", "none.mp4: no such file or directory, want a video or its frames"),
        ("truth.json", "new.json", "truth.json: cannot be opened, want a video that FFmpeg can"),
        (VIDEO, VIDEO, "would overwrite the input"),
        ("", "frames/3.png", "would overwrite the input"),
        ("", "truth.json", "would overwrite the input"),
    ],
)
def test_files_that_do_not_fit_are_named(
    server: str,
    clips: Path,
    source: str,
    results: str,
    complaint: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = {path: path.read_bytes() for path in clips.rglob("*") if path.is_file()}
    more = ["--server", server, "--results", str(clips / results), "--overwrite"]
    assert main(arguments(clips, source, *more)) == 1
    err = capsys.readouterr().err
    assert complaint in err
    assert err.count("\n") == 1
    assert {path: path.read_bytes() for path in clips.rglob("*") if path.is_file()} == before
