"""Annotated videos: what is read of them, what is rejected, and how tracks compare with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posewire_cli.evaluation.errors import EvaluationError
from posewire_cli.evaluation.followed_video import TrackComparison
from posewire_cli.evaluation.track_dataset import AnnotatedVideo, read_track_dataset
from posewire_cli.evaluation.tracking import evaluate_tracks
from posewire_client import Outcome, Pose
from posewire_server.skeleton import COCO
from tests.reference.outcomes import FAILED, SKELETON, result, standing
from tests.reference.sample_annotations import CLIP_ANNOTATIONS

POSETRACK = ["nose", "head_bottom", "head_top", *COCO.names[3:]]


def person(image_id: int, track_id: int, x: float) -> dict[str, Any]:
    """Annotate the person of `standing(x)` where it is found, and a nose that is not."""
    places = np.stack([np.full(17, x), 4.0 * np.arange(17), np.full(17, 2)], axis=1)
    return {
        "id": 100 * image_id + track_id,
        "image_id": image_id,
        "category_id": 1,
        "track_id": track_id,
        "keypoints": places.ravel().tolist(),
        "bbox": [x - 20, 0, 40, 64],
    }


def content(frames: int = 3) -> dict[str, Any]:
    return {
        "images": [{"id": 10 + n, "frame_id": n} for n in range(frames)],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO.names)}],
        "annotations": [person(10 + n, i, 20 + 200 * i) for n in range(frames) for i in (0, 1)],
    }


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "walk.mp4"
    path.touch()
    return path


def written(data: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(data))
    return path


def tracked(x: float, track_id: int | None) -> Pose:
    return replace(standing(x), track_id=track_id)


def compare(
    path: Path, source: Path, outcomes: list[Outcome], *, limit: int | None = None
) -> TrackComparison:
    dataset = read_track_dataset(path, source)
    compared = TrackComparison(dataset.keypoint_names, SKELETON)

    def follow(_: AnnotatedVideo) -> Iterator[Outcome]:
        yield from outcomes[:limit]

    for each in dataset.videos:
        compared.add(each, follow, limit=limit)
    return compared


def test_tracks_at_the_annotated_places_are_right(video: Path, tmp_path: Path) -> None:
    outcomes: list[Outcome] = [result(tracked(220, 7), tracked(20, 3)) for _ in range(3)]
    compared = compare(written(content(), tmp_path), video, outcomes)
    accuracy = evaluate_tracks(compared.clips)
    # The nose is annotated and not found: each similarity is 16/17.
    assert (accuracy.idf1, accuracy.mota, accuracy.switches) == (1, 1, 0)
    assert accuracy.ass_a == pytest.approx(18 / 19)
    ids = [(each["image_id"], each["track_id"]) for each in compared.results]
    assert ids == [(n, i) for n in (10, 11, 12) for i in (7, 3)]


def test_a_changed_id_and_poses_without_one_cost(video: Path, tmp_path: Path) -> None:
    outcomes: list[Outcome] = [
        result(tracked(220, 1), tracked(20, 2)),
        result(tracked(220, 1), tracked(20, 3)),
        result(tracked(220, 1), tracked(20, None)),
    ]
    accuracy = evaluate_tracks(compare(written(content(), tmp_path), video, outcomes).clips)
    assert accuracy.switches == 1
    assert accuracy.mota == pytest.approx((5 - 1) / 6)


def test_frames_that_are_not_annotated_are_followed_and_not_measured(
    video: Path, tmp_path: Path
) -> None:
    data = content()
    data["images"][0]["frame_id"] = 4
    data["images"][1]["is_labeled"] = False
    outcomes: list[Outcome] = [result(tracked(20, 1), tracked(220, 2)) for _ in range(6)]
    compared = compare(written(data, tmp_path), video, outcomes)
    assert [frame.true_ids for frame in compared.clips[0]] == [[0, 1], [0, 1]]
    limited = compare(written(data, tmp_path), video, outcomes, limit=3)
    assert len(limited.clips[0]) == 1


def test_the_number_of_a_frame_may_be_the_id_of_its_image(video: Path) -> None:
    dataset = read_track_dataset(CLIP_ANNOTATIONS, video)
    assert sorted(dataset.videos[0].frames) == [*range(125)]


def test_people_in_crowds_and_without_labels_are_left_out(video: Path, tmp_path: Path) -> None:
    data = content(1)
    data["annotations"][0]["iscrowd"] = 1
    hidden = person(10, 5, 90)
    hidden["keypoints"][2::3] = [0] * 17
    data["annotations"].append(hidden)
    (read,) = read_track_dataset(written(data, tmp_path), video).videos
    assert read.frames[0].track_ids == [1]


def test_keypoints_are_compared_by_their_names(video: Path, tmp_path: Path) -> None:
    data = content(1)
    data["categories"][0]["keypoints"] = POSETRACK
    for each in data["annotations"]:
        each["keypoints"][3:9] = [-500, -500, 2] * 2  # the head's ends, which COCO has not
    compared = compare(written(data, tmp_path), video, [result(tracked(20, 1), tracked(220, 2))])
    similarity = compared.clips[0][0].similarity
    assert np.diag(similarity) == pytest.approx([14 / 15] * 2)


def test_a_directory_has_the_frames_of_each_video(tmp_path: Path) -> None:
    data = content(3)
    for n, image in enumerate(data["images"]):
        image |= {"file_name": f"clips/{n}.png", "vid_id": "ab"[n // 2], "frame_id": 10**10 + n}
        (tmp_path / "clips").mkdir(exist_ok=True)
        (tmp_path / "clips" / f"{n}.png").touch()
    dataset = read_track_dataset(written(data, tmp_path), tmp_path)
    first, second = dataset.videos
    assert [file.name for file in first.files] == ["0.png", "1.png"]
    assert [file.name for file in second.files] == ["2.png"]
    assert [frame.image_id for frame in first.frames.values()] == [10, 11]
    assert list(second.frames) == [0]
    (tmp_path / "clips" / "1.png").unlink()
    with pytest.raises(EvaluationError, match=r"1 of 2 images are missing, such as .*1\.png"):
        read_track_dataset(written(data, tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("place", "key", "value", "complaint"),
    [
        ("images", "id", [1], r"images\[0\] has the id \[1\], want a whole number from 0"),
        ("images", "frame_id", "x", r"images\[0\] has the frame_id 'x', want the number"),
        ("images", "frame_id", 1, r"images\[1\] is frame 1, as is another one"),
        ("categories", "name", "dog", "has no category named person"),
        ("categories", "keypoints", ["tail"], "the keypoints .'tail'., want names of COCO"),
        ("categories", "keypoints", 5, "the keypoints 5, want names of COCO"),
        ("annotations", "track_id", None, "annotation 1000 has the track_id None, want a whole"),
        ("annotations", "track_id", 1, "image 10 has two people with the track_id 1"),
        ("annotations", "image_id", {}, "annotation 1000 has the image_id {}, want a whole"),
        ("annotations", "keypoints", [1, 2, 2], r"has the keypoints \[1, 2, 2\], want 51 numbers"),
        ("annotations", "keypoints", ["x"] * 51, "want 51 numbers: x, y, visibility"),
        ("annotations", "bbox", [1, 2], r"the area None and the bbox \[1, 2\], want one of them"),
    ],
)
def test_what_does_not_fit_is_named(
    place: str, key: str, value: object, complaint: str, video: Path, tmp_path: Path
) -> None:
    data = content()
    data[place][0][key] = value
    with pytest.raises(EvaluationError, match=complaint):
        read_track_dataset(written(data, tmp_path), video)


def test_annotations_without_identities_are_named(video: Path, tmp_path: Path) -> None:
    data = content()
    del data["annotations"][0]["track_id"]
    with pytest.raises(EvaluationError, match="annotation 1000 has no track_id, want"):
        read_track_dataset(written(data, tmp_path), video)
    data["annotations"] = []
    with pytest.raises(EvaluationError, match="no annotated person has labelled keypoints"):
        read_track_dataset(written(data, tmp_path), video)


def test_annotations_beyond_the_video_are_an_error(video: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="frame 2 is annotated, but the video has 2 frames"):
        compare(written(content(), tmp_path), video, [result(), result()])


def test_a_frame_that_fails_is_an_error(video: Path, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"frame 1: .*got noise"):
        compare(written(content(), tmp_path), video, [result(), FAILED])


def test_a_model_of_other_keypoints_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="none of the annotated keypoints tail, want some of"):
        TrackComparison(["tail"], SKELETON)
