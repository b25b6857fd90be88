from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_cli.errors import OutputError
from posewire_cli.output.annotated_images import AnnotatedImages
from posewire_cli.output.annotated_video import AnnotatedVideo
from posewire_cli.output.answered_image import AnsweredImage, Writer
from posewire_cli.output.coco_results import CocoResults
from posewire_cli.output.drawn_frames import DrawnFrames, DrawnImages
from posewire_cli.output.error_lines import ErrorLines
from posewire_cli.output.json_lines import JsonLines
from posewire_cli.output.mot_file import MotFile
from posewire_cli.output.openpose_files import OpenPoseFiles
from posewire_cli.output.summary import Summary
from posewire_cli.output.text_lines import TextLines
from posewire_cli.output.writing import write_all
from posewire_client import Box, Outcome
from posewire_client.drawing import Style
from tests.reference.outcomes import FAILED, SKELETON, SKIPPED, answered, result, standing

TWO = result(standing(20, score=0.75), standing(40, score=0.5))

OUTCOMES = (TWO, result(), result(standing(9)), FAILED, SKIPPED)


def written(writer: Writer, *outcomes: Outcome) -> None:
    images = [answered(each, number=i) for i, each in enumerate(outcomes)]
    write_all(images, [writer], total=len(images), unit="frame")


def test_lines_for_people_show_each_person(capsys: pytest.CaptureFixture[str]) -> None:
    images = [answered(each, number=i) for i, each in enumerate(OUTCOMES)]
    write_all(images, [TextLines(), ErrorLines()], total=len(images), unit="frame")
    out, err = capsys.readouterr()
    assert err == "posewire: frame 3: INVALID_ARGUMENT (IMAGE_UNDECODABLE): got noise\n"
    assert out.splitlines() == [
        "frame 0: 64x96, 2 people",
        "  score 0.75  box 20,4,20,64  16 keypoints",
        "  score 0.50  box 40,4,40,64  16 keypoints",
        "frame 1: 64x96, no people",
        "frame 2: 64x96, 1 person",
        "  score 0.75  box 9,4,9,64  16 keypoints",
        "frame 4: skipped: superseded",
    ]


def test_a_tracked_person_has_the_track_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    written(TextLines(), result(replace(standing(9), track_id=4), standing(20)))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  score 0.75  box 9,4,9,64    16 keypoints  track 4",
        "  score 0.75  box 20,4,20,64  16 keypoints",
    ]


def test_lines_have_timings_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    written(TextLines(people=False, timings=True), TWO)
    assert capsys.readouterr().out == (
        "frame 0: 64x96, 2 people; queue 1.0, letterbox 2.0, inference 30.5, grouping 4.0, "
        "total 37.5 ms\n"
    )


def test_one_line_in_several_can_be_had(capsys: pytest.CaptureFixture[str]) -> None:
    written(TextLines(every=2), *[SKIPPED] * 5)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["frame 0", "frame 2", "frame 4"]


def test_lines_of_json_have_everything(capsys: pytest.CaptureFixture[str]) -> None:
    written(JsonLines(SKELETON), TWO, FAILED, SKIPPED)
    first, failed, skipped = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["source"], first["frame"], first["outcome"]) == ("walk.mp4", 0, "result")
    assert (first["width"], first["height"], first["model"]) == (64, 96, "painted")
    assert first["stage_millis"]["inference"] == 30.5
    assert [pose["score"] for pose in first["poses"]] == [0.75, 0.5]
    keypoints = first["poses"][1]["keypoints"]
    assert "nose" not in keypoints  # absent
    assert keypoints["left_eye"] == {"x": 40.0, "y": 4.0, "score": 0.5, "origin": "detected"}
    assert len(keypoints) == 16
    wanted = {"outcome": "error", "code": "INVALID_ARGUMENT", "reason": "IMAGE_UNDECODABLE"}
    assert wanted.items() <= failed.items()
    assert {"frame": 2, "outcome": "skipped", "reason": "superseded"}.items() <= skipped.items()


def test_coco_results_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    writer = CocoResults(path)
    assert not path.exists()
    written(writer, SKIPPED, TWO, FAILED)
    records = json.loads(path.read_text())
    assert [(each["image_id"], each["score"]) for each in records] == [(1, 0.75), (1, 0.5)]
    assert records[0]["keypoints"][:6] == [0, 0, 0, 20, 4, 0.5]
    assert list(tmp_path.iterdir()) == [path]


def test_coco_results_of_an_earlier_run_survive_one_without_images(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text("earlier")
    written(CocoResults(path))
    assert path.read_text() == "earlier"
    written(CocoResults(path), FAILED)
    assert json.loads(path.read_text()) == []


def test_tracks_are_in_coco_results_and_openpose_files(tmp_path: Path) -> None:
    both = result(replace(standing(9), track_id=4), standing(20))
    written(CocoResults(tmp_path / "results.json"), both)
    first, second = json.loads((tmp_path / "results.json").read_text())
    assert first["track_id"] == 4
    assert "track_id" not in second
    written(OpenPoseFiles(tmp_path / "openpose"), both)
    (path,) = (tmp_path / "openpose").iterdir()
    people = json.loads(path.read_text())["people"]
    assert [each["person_id"] for each in people] == [[4], [-1]]


def test_tracks_have_lines_as_in_motchallenge(tmp_path: Path) -> None:
    path = tmp_path / "tracks.txt"
    tracked = replace(standing(9), track_id=4, box=Box(9, 4, 19.5, 64))
    written(MotFile(path), result(tracked, standing(20)), SKIPPED, FAILED, result(tracked))
    assert path.read_text().splitlines() == [
        "1,4,9.00,4.00,10.50,60.00,0.7500,-1,-1,-1",
        "4,4,9.00,4.00,10.50,60.00,0.7500,-1,-1,-1",
    ]


def test_tracks_of_an_earlier_run_survive_one_without_images(tmp_path: Path) -> None:
    path = tmp_path / "tracks.txt"
    path.write_text("earlier")
    written(MotFile(path))
    assert path.read_text() == "earlier"
    written(MotFile(path), result())
    assert path.read_text() == ""


def test_openpose_files_are_called_as_openpose_calls_them(tmp_path: Path) -> None:
    written(OpenPoseFiles(tmp_path / "new" / "folder"), TWO, SKIPPED, result())
    files = sorted((tmp_path / "new" / "folder").iterdir())
    assert [path.name for path in files] == [
        "walk_000000000000_keypoints.json",
        "walk_000000000002_keypoints.json",
    ]
    assert len(json.loads(files[0].read_text())["people"]) == 2
    assert json.loads(files[1].read_text())["people"] == []


def test_annotated_images_are_drawn_copies(tmp_path: Path) -> None:
    writer = AnnotatedImages(tmp_path, DrawnImages(SKELETON, Style()))
    grey = np.full((96, 64, 3), 128, np.uint8)
    writer.write(answered(TWO, pixels=grey))
    writer.write(answered(FAILED, number=4))
    (path,) = tmp_path.iterdir()
    image = cv2.imread(str(path))
    assert image.shape == grey.shape
    assert (image[60, 20] != 128).any()
    assert (grey == 128).all()


def test_people_of_a_video_keep_their_colours(tmp_path: Path) -> None:
    path = tmp_path / "drawn.avi"
    style = Style(color_by="person", text=False)
    writer = AnnotatedVideo(path, DrawnFrames(SKELETON, style), rate=10)
    left, right = standing(15, score=0.75), standing(45, score=0.75)
    # The order is that of the scores, which changes from frame to frame.
    written(writer, result(left, right), result(right, left), SKIPPED)
    video = cv2.VideoCapture(str(path))
    first, *others = (frame for _, frame in iter(video.read, (False, None)))
    assert abs(first[48, 15].astype(int) - first[48, 45]).sum() > 60
    for other in others:
        assert abs(other[40:60, 10:50].astype(int) - first[40:60, 10:50]).max() < 40


def test_people_of_a_tracked_video_have_the_colours_of_their_tracks() -> None:
    style = Style(color_by="person", text=False)
    frames = DrawnFrames(SKELETON, style, tracked=True)
    untracked = frames.draw(answered(result(standing(15))))
    assert np.ptp(untracked[48, 15].astype(int)) == 0
    first = frames.draw(answered(result(replace(standing(15), track_id=1))))
    second = frames.draw(answered(result(replace(standing(15), track_id=2))))
    assert np.ptp(first[48, 15].astype(int)) > 60
    assert (first[48, 15] != second[48, 15]).any()


def test_trails_are_drawn_on_request() -> None:
    style = Style(color_by="person", text=False)
    steps = [result(replace(standing(x), track_id=1)) for x in (10, 50)]
    plain, trailing = (
        [frames.draw(answered(each)) for each in steps][-1]
        for frames in (
            DrawnFrames(SKELETON, style, tracked=True),
            DrawnFrames(SKELETON, style, tracked=True, trail_frames=9),
        )
    )
    assert (plain[:, 20:40] == 128).all()
    assert (trailing[:, 20:40] != 128).any()


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm"])
def test_an_annotated_video_has_every_frame(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"drawn{suffix}"
    writer = AnnotatedVideo(path, DrawnFrames(SKELETON, Style()), rate=10)
    written(writer, TWO, SKIPPED, FAILED, result())
    video = cv2.VideoCapture(str(path))
    frames = [frame for _, frame in iter(video.read, (False, None))]
    assert len(frames) == 4
    assert video.get(cv2.CAP_PROP_FPS) == 10
    person = [abs(frame[50:64, 15:26].astype(int) - 128).max() for frame in frames]
    # A frame that was not looked at shows the people of the one before.
    assert min(person[:3]) > 40 > person[3]
    assert "tag" not in capfd.readouterr().err


def test_a_video_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"'\.mov', want one of \.mp4, \.avi, \.webm"):
        AnnotatedVideo(tmp_path / "x.mov", DrawnFrames(SKELETON, Style()), rate=10)


def test_a_video_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    writer = AnnotatedVideo(tmp_path / "no-such" / "x.mp4", DrawnFrames(SKELETON, Style()), rate=10)
    with pytest.raises(OutputError, match="cannot be written"):
        writer.write(answered(TWO))


def test_a_summary_counts() -> None:
    summary = Summary(timings=True)
    written(summary, TWO, result(), SKIPPED, FAILED)
    first, failure, people, titles, *rows = "\n".join(summary.lines()).splitlines()
    assert first.startswith("4 frames in ")
    assert first.endswith(": 2 answered, 1 skipped, 1 failed")
    assert failure == ("first failure: frame 3: INVALID_ARGUMENT (IMAGE_UNDECODABLE): got noise")
    assert people == "people per frame: 0 to 2, 1.0 on average; 32 keypoints in total"
    assert titles.split() == ["milliseconds", "p50", "p90", "p95", "p99"]
    assert [row.split()[0] for row in rows] == [
        "queue",
        "letterbox",
        "inference",
        "grouping",
        "total",
    ]
    assert rows[2].split() == ["inference", *["30.50"] * 4]


def test_a_summary_counts_tracks() -> None:
    summary = Summary()
    first, second = (result(replace(standing(9), track_id=each)) for each in (1, 3))
    written(summary, first, second, first)
    assert [*summary.lines()][-1] == "tracks: 2"


def test_a_summary_has_timings_on_request_only() -> None:
    summary = Summary()
    written(summary, TWO)
    assert len([*summary.lines()]) == 2


def test_a_caption_has_timings_on_request_only() -> None:
    wide = np.full((96, 640, 3), 128, np.uint8)
    image = answered(result(), pixels=wide)
    plain, timed = (
        DrawnFrames(SKELETON, Style(), timings=timings).draw(image) for timings in (False, True)
    )
    assert (plain[:, 200:] == 128).all()
    assert (timed[:, 200:] != 128).any()


def test_a_summary_of_nothing_is_a_line() -> None:
    (line,) = Summary().lines()
    assert line.endswith("0 answered, 0 skipped, 0 failed")


def test_writers_are_closed_when_the_answers_break_off(tmp_path: Path) -> None:
    def broken() -> Iterator[AnsweredImage]:
        yield answered(TWO)
        raise KeyboardInterrupt

    path = tmp_path / "results.json"
    with pytest.raises(KeyboardInterrupt):
        write_all(broken(), [CocoResults(path)], total=None, unit="frame")
    assert len(json.loads(path.read_text())) == 2
