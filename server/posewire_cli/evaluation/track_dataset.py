"""Videos in which people are annotated with identities, in COCO's format.

Beside the fields of COCO's keypoint task, annotations have a `track_id`, the same for a person in
all frames of a video. Images have a `frame_id`, the number of the frame from 0, or else their `id`
is that number. PoseTrack 2018 has one image file for each frame: an image then has a `file_name`,
and `vid_id` is the video.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_cli.evaluation.coco_dataset import Record, read_lists
from posewire_cli.evaluation.errors import DatasetError
from posewire_server.skeleton import COCO

_VIDEO_KEYS = ("video_id", "vid_id")
_WANTED = "want a whole number from 0"


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedFrame:
    """The people in one frame: T of them, with K keypoints.

    `number`: that of the frame in its video, from 0. `keypoints` (T, K, 2) and `areas` (T,) in
    pixels of the frame; `is_labelled` (T, K).
    """

    image_id: int
    number: int
    track_ids: Sequence[int]
    keypoints: NDArray[np.float64]
    is_labelled: NDArray[np.bool_]
    areas: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnnotatedVideo:
    """A video and its annotated frames by number.

    `files`: the image files of all its frames in order, if it is not one file.
    """

    frames: Mapping[int, AnnotatedFrame]
    files: Sequence[Path] = field(default=())


@dataclass(frozen=True, slots=True)
class TrackDataset:
    """Annotated videos; `keypoint_names` are the K that are annotated."""

    videos: Sequence[AnnotatedVideo]
    keypoint_names: tuple[str, ...]


def read_track_dataset(annotations: Path, source: Path) -> TrackDataset:
    """Read annotations of the video file `source`, or of image files below that directory.

    People without labelled keypoints and crowds are left out. Raises `DatasetError` for a file
    without identities, and for missing images.
    """
    is_directory = source.is_dir()
    if not is_directory and not source.is_file():
        raise DatasetError(f"{source}: no such file or directory, want a video or its frames")
    content = read_lists(annotations, image_keys=("id", "file_name") if is_directory else ("id",))
    category, names = _person_category(annotations, content["categories"])
    people: dict[Any, list[Record]] = defaultdict(list)
    for each in content["annotations"]:
        if isinstance(each, dict) and each.get("category_id") == category:
            _check_person(annotations, each, len(names))
            people[each["image_id"]].append(each)
    reader = _FrameReader(annotations, people, len(names))
    images = content["images"]
    for i, image in enumerate(images):
        if not _is_count(image["id"]):
            raise DatasetError(
                f"{annotations}: images[{i}] has the id {image['id']!r:.60}, {_WANTED}"
            )
    videos = (
        [reader.read_files(group, source) for group in _group_by_video(images)]
        if is_directory
        else [reader.read_video(images)]
    )
    if not any(frame.track_ids for video in videos for frame in video.frames.values()):
        raise DatasetError(
            f"{annotations}: no annotated person has labelled keypoints, want at least one"
        )
    return TrackDataset(videos, names)


@dataclass(frozen=True, slots=True)
class _FrameReader:
    """Makes frames of images and of their people, by image id."""

    path: Path
    people: Mapping[Any, Sequence[Record]]
    keypoints: int

    def read_video(self, images: Iterable[Record]) -> AnnotatedVideo:
        frames: dict[int, AnnotatedFrame] = {}
        for i, image in enumerate(images):
            key = "frame_id" if "frame_id" in image else "id"
            number = image[key]
            if not _is_count(number):
                raise DatasetError(
                    f"{self.path}: images[{i}] has the {key} {number!r}, want the number of its "
                    "frame in the video, from 0"
                )
            if number in frames:
                raise DatasetError(
                    f"{self.path}: images[{i}] is frame {number}, as is another one, want one "
                    "image for each frame of a single video"
                )
            if image.get("is_labeled", True):
                frames[number] = self._frame(image["id"], number)
        return AnnotatedVideo(frames)

    def read_files(self, images: Sequence[Record], directory: Path) -> AnnotatedVideo:
        files = [directory / str(image["file_name"]) for image in images]
        if missing := [file for file in files if not file.is_file()]:
            raise DatasetError(
                f"{directory}: {len(missing)} of {len(files)} images are missing, such as "
                f"{missing[0]}"
            )
        frames = {
            number: self._frame(image["id"], number)
            for number, image in enumerate(images)
            if image.get("is_labeled", True)
        }
        return AnnotatedVideo(frames, files)

    def _frame(self, image_id: int, number: int) -> AnnotatedFrame:
        people = [each for each in self.people.get(image_id, ()) if _is_measured(each)]
        ids = [each["track_id"] for each in people]
        if len(set(ids)) < len(ids):
            twice = next(each for each in ids if ids.count(each) > 1)
            raise DatasetError(
                f"{self.path}: image {image_id} has two people with the track_id {twice}, want "
                "each at most once in an image"
            )
        values = np.array([each["keypoints"] for each in people], np.float64)
        values = values.reshape(-1, self.keypoints, 3)
        areas = np.array([_area(each) for each in people], np.float64)
        return AnnotatedFrame(image_id, number, ids, values[..., :2], values[..., 2] > 0, areas)


def _group_by_video(images: Iterable[Record]) -> list[list[Record]]:
    groups: dict[Any, list[Record]] = defaultdict(list)
    for image in images:
        groups[next((str(image[key]) for key in _VIDEO_KEYS if key in image), "")].append(image)
    return [*groups.values()]


def _person_category(path: Path, categories: Iterable[Record]) -> tuple[Any, tuple[str, ...]]:
    for each in categories:
        if each.get("name") == "person":
            names = each.get("keypoints", COCO.names)
            if not isinstance(names, list | tuple) or not any(name in COCO.names for name in names):
                raise DatasetError(
                    f"{path}: people have the keypoints {names!r:.200}, want names of COCO, such "
                    f"as {COCO.names[0]}"
                )
            return each["id"], tuple(map(str, names))
    raise DatasetError(f"{path}: has no category named person, want one")


def _check_person(path: Path, person: Record, keypoints: int) -> None:
    named = f"{path}: annotation {person.get('id')}"
    missing = sorted({"image_id", "track_id", "keypoints"} - person.keys())
    if missing:
        raise DatasetError(
            f"{named} has no {' and no '.join(missing)}, want COCO's keypoint annotations with "
            "identities"
        )
    for key in ("image_id", "track_id"):
        if not _is_count(person[key]):
            raise DatasetError(f"{named} has the {key} {person[key]!r:.60}, {_WANTED}")
    values = person["keypoints"]
    if not _are_numbers(values, 3 * keypoints):
        raise DatasetError(
            f"{named} has the keypoints {values!r:.60}, want {3 * keypoints} numbers: x, y, "
            "visibility of each"
        )
    area, box = person.get("area"), person.get("bbox")
    if not _are_numbers([area], 1) and not _are_numbers(box, 4):
        raise DatasetError(
            f"{named} has the area {area!r:.30} and the bbox {box!r:.60}, want one of them: "
            "a number, or x, y, width, height"
        )


def _is_measured(person: Record) -> bool:
    return not person.get("iscrowd", 0) and any(value > 0 for value in person["keypoints"][2::3])


def _area(person: Record) -> float:
    if _are_numbers([person.get("area")], 1):
        return float(person["area"])
    return float(person["bbox"][2] * person["bbox"][3])


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _are_numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(each, int | float) and math.isfinite(each) for each in values)
    )
