"""`posewire stream` as a process, and against a server that runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_cli.command import main
from posewire_cli.evaluation.accuracy import measure_accuracy
from posewire_cli.evaluation.coco_dataset import CocoDataset
from posewire_server.image.limits import ImageLimits
from posewire_server.sample import CLIP
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.sample_annotations import CLIP_ANNOTATIONS
from tests.reference.server_thread import serving

TIMEOUT = 120
COUNT = 20


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each frame has the grey of three times its number."""
    path = tmp_path_factory.mktemp("video") / "greys.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (SIDE, SIDE))
    for number in range(COUNT):
        writer.write(np.full((SIDE, SIDE, 3), 3 * number, np.uint8))
    writer.release()
    return path


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(painted_model(PaintingRunner(person_of, capacity=2), size=SIDE)) as running:
        yield running.address


def frame_count(path: Path) -> int:
    video = cv2.VideoCapture(str(path))
    return len(list(iter(lambda: video.read()[0], False)))


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_each_frame_has_its_people(
    server: str, video: Path, encoding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["stream", "--server", server, "--encoding", encoding, "--json", str(video)]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["frame"] for line in lines] == list(range(COUNT))
    greys = [line["poses"][0]["keypoints"]["nose"]["x"] - 10 for line in lines]
    assert greys == sorted(greys)
    # As exactly as two lossy encodings keep them.
    assert greys == pytest.approx([3 * number for number in range(COUNT)], abs=4)
    assert f"{COUNT} frames in " in err
    assert f"{COUNT} answered, 0 skipped, 0 failed" in err


def test_files_are_written_as_asked(
    server: str, video: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco, openpose, drawn = (tmp_path / name for name in ("results.json", "openpose", "drawn.mp4"))
    mot = tmp_path / "tracks.txt"
    files = ["--coco", coco, "--openpose", openpose, "--annotated", drawn, "--mot", mot]
    tracking = ["--track", "--smooth", "--trails", "0.5"]
    arguments = ["--server", server, "--frames", "7", *tracking, *map(str, files), str(video)]
    assert main(["stream", *arguments]) == 0
    out = capsys.readouterr().out
    assert "7 frames in " in out
    assert "tracks: 1\n" in out
    lines = [line.split(",") for line in mot.read_text().splitlines()]
    assert {line[1] for line in lines} == {"1"}
    # The first frame may have no id: a second one confirms the track.
    assert [int(line[0]) for line in lines][-6:] == [*range(2, 8)]
    assert [each.get("track_id") for each in json.loads(coco.read_text())][-6:] == [1] * 6
    assert [each["image_id"] for each in json.loads(coco.read_text())] == list(range(7))
    assert len(list(openpose.iterdir())) == 7
    assert frame_count(drawn) == 7


def test_a_video_is_saved_in_a_numbered_directory(
    server: str,
    video: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["stream", "--server", server, "--frames", "3", "--save", str(video)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Saved to runs/predict\n3 frames in ")
    assert "inference" not in out  # on request only
    assert frame_count(Path("runs/predict/greys.mp4")) == 3


def test_the_latest_frames_of_a_slow_server_are_handled(
    video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = PaintingRunner(person_of, delay=lambda: 0.15)
    with serving(painted_model(runner, size=SIDE)) as slow:
        arguments = ["--server", slow.address, "--delivery", "latest", "--json", str(video)]
        assert main(["stream", *arguments]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    outcomes = [line["outcome"] for line in lines]
    assert len(outcomes) == COUNT
    # 20 frames last 0.8 s, in which six can be handled; the last one is always the latest.
    assert outcomes.count("skipped") > COUNT // 2
    assert outcomes[-1] == "result"


def test_frames_that_fail_are_told_of(video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = ImageLimits(max_bytes=1 << 20, max_pixels=SIDE)
    options = ServerOptions(address="127.0.0.1:0", limits=ServiceLimits(image=image))
    model = painted_model(PaintingRunner(person_of), size=SIDE)
    with serving(model, options=options) as strict:
        assert main(["stream", "--server", strict.address, str(video)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert f"0 answered, 0 skipped, {COUNT} failed" in first
    assert second.startswith("first failure: frame 0: got ")


def test_a_file_that_is_no_video_is_one_line(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("nothing to see")
    assert main(["stream", "--server", server, str(path)]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"posewire: {path}: cannot be opened, want a video that FFmpeg can read\n",
    )


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_an_interruption_finishes_what_was_written(
    server: str, video: Path, tmp_path: Path, by: signal.Signals
) -> None:
    long, coco, drawn = tmp_path / "long.avi", tmp_path / "results.json", tmp_path / "drawn.webm"
    writer = cv2.VideoWriter(str(long), cv2.VideoWriter.fourcc(*"MJPG"), 10, (SIDE, SIDE))
    for _ in range(600):
        writer.write(np.full((SIDE, SIDE, 3), 30, np.uint8))
    writer.release()
    # A shell starts what it runs in the background deaf to SIGINT, tests with it.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from posewire_cli.command import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "stream", "--server", server, "--json"]
    files = ["--coco", str(coco), "--annotated", str(drawn), "--delivery", "latest", str(long)]
    with subprocess.Popen(
        [*command, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            for _ in range(3):
                assert json.loads(process.stdout.readline())["outcome"] == "result"
            process.send_signal(by)
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
    assert process.returncode == 130
    answered = 3 + out.count("\n")
    assert err.splitlines()[-1] == "posewire: interrupted"
    assert f"{answered} answered" in err
    assert "Traceback" not in err
    # The signal may come after a frame was printed and before it was kept.
    assert len(json.loads(coco.read_text())) in (answered - 1, answered)
    assert frame_count(drawn) in (answered - 1, answered)


def test_the_people_of_the_clip_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco = tmp_path / "results.json"
    network = ["--model", "demo", "--threads", "1"]
    everybody = ["--min-pose-score", "0", "--frames", "40", "--coco", str(coco)]
    assert main(["stream", *network, *everybody, str(CLIP)]) == 0
    assert "40 answered, 0 skipped, 0 failed" in capsys.readouterr().out
    people = json.loads(CLIP_ANNOTATIONS.read_text())["annotations"]
    dataset = CocoDataset(dict.fromkeys(range(40)), people)
    accuracy = measure_accuracy(dataset, json.loads(coco.read_text()))
    assert accuracy.ap50 is not None
    assert accuracy.ap50 > 0.9


@pytest.mark.parametrize("option", [["--smooth"], ["--trails", "1"], ["--mot", "tracks.txt"]])
def test_options_for_tracks_need_tracks(
    server: str, video: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", "--server", server, *option, str(video)]) == 2
    assert f"{option[0]}: only with --track" in capsys.readouterr().err


@pytest.mark.parametrize("secs", ["0", "31", "nan"])
def test_the_length_of_trails_is_bounded(
    server: str, video: Path, secs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", "--server", server, "--track", "--trails", secs, str(video)]) == 2
    assert "--trails" in capsys.readouterr().err


def test_an_age_without_latest_is_named(
    server: str, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stream", "--server", server, "--max-frame-age", "1", str(video)]) == 2
    assert "--max-frame-age: only with --delivery latest" in capsys.readouterr().err
