"""Convert results to JSON documents and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from posewire_client.pose import Keypoint, Origin, Pose

if TYPE_CHECKING:
    import pandas as pd

    from posewire_client.result import Result

_COLUMNS = {
    "frame_id": "Int64",
    "person": "int64",
    "pose_score": "float64",
    "track_id": "Int64",
    "keypoint": "str",
    "x": "float64",
    "y": "float64",
    "score": "float64",
    "origin": "str",
}


def result_document(result: Result, *, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the result as a document of numbers, texts, lists and dictionaries.

    `names`: of the keypoints, by default those of the result's skeleton.
    """
    frame = {} if result.frame_id is None else {"frame_id": result.frame_id}
    return {
        **frame,
        "model": result.model,
        "model_version": result.model_version,
        "width": result.image_width,
        "height": result.image_height,
        "poses": [_pose(pose, names or pose.keypoint_names) for pose in result.poses],
        "stage_millis": {
            name.removesuffix("_secs"): round(1e3 * secs, 3)
            for name, secs in asdict(result.stage_times).items()
            if secs is not None
        },
    }


def result_table(result: Result) -> pd.DataFrame:
    """Return one row per keypoint of each person."""
    import pandas as pd

    rows = [row for person, pose in enumerate(result.poses) for row in _rows(person, pose)]
    table = pd.DataFrame(rows, columns=[name for name in _COLUMNS if name != "frame_id"])
    table.insert(0, "frame_id", result.frame_id)
    return table.astype(_COLUMNS)


def _pose(pose: Pose, names: Sequence[str]) -> dict[str, Any]:
    box = pose.box
    track = {} if pose.track_id is None else {"track_id": pose.track_id}
    return {
        "score": round(pose.score, 4),
        **track,
        "box": [round(side, 2) for side in (box.x_min, box.y_min, box.x_max, box.y_max)],
        "keypoints": {
            name: {
                "x": round(keypoint.x, 2),
                "y": round(keypoint.y, 2),
                "score": round(keypoint.score, 4),
                "origin": keypoint.origin.name.lower(),
            }
            for name, keypoint in _named_keypoints(pose, names)
            if keypoint.origin != Origin.ABSENT
        },
    }


def _rows(person: int, pose: Pose) -> Iterator[tuple[object, ...]]:
    for name, keypoint in _named_keypoints(pose, pose.keypoint_names):
        is_absent = keypoint.origin == Origin.ABSENT
        yield (
            person,
            pose.score,
            pose.track_id,
            name,
            None if is_absent else keypoint.x,
            None if is_absent else keypoint.y,
            keypoint.score,
            keypoint.origin.name.lower(),
        )


def _named_keypoints(pose: Pose, names: Sequence[str]) -> Iterator[tuple[str, Keypoint]]:
    for k, name in enumerate(names[: len(pose)]):
        yield name, pose[k]
