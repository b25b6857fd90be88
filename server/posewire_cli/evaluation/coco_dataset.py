"""Annotations of COCO's keypoint task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, TypeVar

from posewire_cli.evaluation.errors import DatasetError
from posewire_server.skeleton import COCO

Frame = TypeVar("Frame")
Record = dict[str, Any]

_MAX_NAMED = 10


@dataclass(frozen=True, slots=True, eq=False)
class CocoDataset(Generic[Frame]):
    """Images and the people annotated in them.

    `frames`: what poses are estimated from (files, arrays, ...), by image id and in order.
    `people`: COCO annotations, of which `image_id`, `bbox`, `area` and `keypoints` are read, and
    `num_keypoints` and `iscrowd` if present. Those of other images are ignored.
    `person_category`: COCO category id of people.
    """

    frames: Mapping[int, Frame]
    people: Sequence[Mapping[str, Any]]
    person_category: int = 1


def read_dataset(annotations: Path, images: Path, *, limit: int | None = None) -> CocoDataset[Path]:
    """Read the first `limit` images (None: all) of an annotation file for the directory `images`.

    Raises `DatasetError` for missing images, and for a file without COCO keypoint annotations.
    """
    content = read_lists(annotations, image_keys=("id", "file_name"))
    category = _person_category(annotations, content)
    frames = {each["id"]: images / each["file_name"] for each in islice(content["images"], limit)}
    _check_presence(images, list(frames.values()))
    people = [each for each in content["annotations"] if each.get("category_id") == category]
    _check_people(annotations, people)
    return CocoDataset(frames, people, category)


def read_lists(path: Path, *, image_keys: Sequence[str]) -> dict[str, list[Record]]:
    """Read the lists of images, categories and annotations, and check the keys of their records.

    `image_keys`: those that each image must have. Raises `DatasetError` for other files.
    """
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise DatasetError(f"{path}: invalid JSON ({error}), want COCO annotations") from error
    wanted = {"images": image_keys, "categories": ("id",), "annotations": ()}
    for name, keys in wanted.items():
        records = content.get(name) if isinstance(content, dict) else None
        if not isinstance(records, list):
            raise DatasetError(f"{path}: got no list {name!r}, want COCO annotations")
        for i, record in enumerate(records):
            if not isinstance(record, dict) or not record.keys() >= set(keys):
                keys_wanted = f", want an object with {' and '.join(keys)}" if keys else ""
                raise DatasetError(f"{path}: {name}[{i}] is {record!r:.60}{keys_wanted}")
    return {name: content[name] for name in wanted}


def _person_category(path: Path, content: dict[str, list[Record]]) -> int:
    for each in content["categories"]:
        if each.get("name") == "person":
            keypoints = tuple(each.get("keypoints", COCO.names))
            if keypoints != COCO.names:
                raise DatasetError(
                    f"{path}: people have {len(keypoints)} keypoints {keypoints}, "
                    f"want COCO's {len(COCO.names)} {COCO.names}"
                )
            return int(each["id"])
    raise DatasetError(f"{path}: has no category named person, want one")


def _check_people(path: Path, people: list[Record]) -> None:
    values = 3 * len(COCO.names)
    for each in people:
        missing = {"image_id", "bbox", "area", "keypoints"} - each.keys()
        if missing:
            raise DatasetError(
                f"{path}: annotation {each.get('id')} has no {' and no '.join(sorted(missing))}, "
                "want a file of COCO's keypoint task (person_keypoints_*.json)"
            )
        if len(each["keypoints"]) != values:
            raise DatasetError(
                f"{path}: annotation {each.get('id')} has {len(each['keypoints'])} keypoint "
                f"values, want {values}: x, y, visibility of each"
            )


def _check_presence(images: Path, files: list[Path]) -> None:
    missing = [file.name for file in files if not file.is_file()]
    if not missing:
        return
    named = ", ".join(missing[:_MAX_NAMED])
    more = f" and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
    raise DatasetError(
        f"{images}: {len(missing)} of {len(files)} images are missing: {named}{more}"
    )
