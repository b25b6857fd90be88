"""A result as JSON, as a table and as supervision's key points; keypoints by their names."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from posewire.v1 import pose_service_pb2
from posewire_client import MissingPackageError, Origin, Result
from posewire_client.response import model_from_message, result_from_response
from tests.reference.scripted_service import small_model, small_pose

NAN = float("nan")
SKELETON = model_from_message(small_model()).skeleton


def result_of(*poses: Any, described: bool = True) -> Result:
    response = pose_service_pb2.EstimatePosesResponse(
        poses=poses, model="small", model_version="small@1", image_width=8, image_height=6
    )
    response.stage_times.inference_duration.FromMicroseconds(12_345)
    return result_from_response(response, skeleton=SKELETON if described else None)


def test_a_keypoint_has_its_name() -> None:
    (pose,) = result_of(small_pose()).poses
    assert pose["left_eye"] == pose[1]
    assert pose["right_eye"].origin is Origin.ABSENT
    with pytest.raises(KeyError, match="got the keypoint 'eye', want one of nose, left_eye, right"):
        pose["eye"]


def test_keypoints_that_no_server_described_have_numbers() -> None:
    (pose,) = result_of(small_pose(), described=False).poses
    assert pose.keypoint_names == ("0", "1", "2")
    assert pose["1"] == pose[1]


def test_keypoints_are_normalised_by_the_size_of_the_image() -> None:
    result = result_of(small_pose())
    np.testing.assert_allclose(result.xyn[0], [[1.5 / 8, 2.5 / 6], [3.5 / 8, 4.5 / 6], [0, 0]])
    assert result.xyn.dtype == np.float32
    assert result_of().xyn.shape == (0, 0, 2)


def test_a_document_names_the_keypoints_that_are_there() -> None:
    document = json.loads(result_of(small_pose(track_id=4)).to_json())
    assert document == {
        "model": "small",
        "model_version": "small@1",
        "width": 8,
        "height": 6,
        "poses": [
            {
                "score": 0.75,
                "track_id": 4,
                "box": [1.5, 2.5, 3.5, 4.5],
                "keypoints": {
                    "nose": {"x": 1.5, "y": 2.5, "score": 0.875, "origin": "detected"},
                    "left_eye": {"x": 3.5, "y": 4.5, "score": 0.25, "origin": "inferred"},
                },
            }
        ],
        "stage_millis": {"inference": 12.345},
    }
    assert result_of().to_json(indent=1).startswith('{\n "model"')


def test_a_table_has_a_row_for_each_keypoint() -> None:
    table = result_of(small_pose(), small_pose(track_id=7)).to_df()
    assert list(table.keypoint) == ["nose", "left_eye", "right_eye"] * 2
    assert list(table.person) == [0, 0, 0, 1, 1, 1]
    assert list(table.origin[:3]) == ["detected", "inferred", "absent"]
    np.testing.assert_array_equal(table.x[:3], [1.5, 3.5, NAN])
    np.testing.assert_array_equal(table.y[:3], [2.5, 4.5, NAN])
    assert list(table.score[:3]) == [0.875, 0.25, 0]
    assert table.track_id.isna().tolist() == [True] * 3 + [False] * 3
    assert set(table.track_id.dropna()) == {7}
    assert table.frame_id.isna().all()


def test_the_table_of_nobody_has_the_same_columns() -> None:
    empty, full = result_of().to_df(), result_of(small_pose()).to_df()
    assert len(empty) == 0
    assert dict(empty.dtypes) == dict(full.dtypes)


class KeyPoints:
    """Has the constructor of supervision 0.31, as far as it is used."""

    def __init__(
        self,
        xy: Any,
        class_id: Any = None,
        keypoint_confidence: Any = None,
        detection_confidence: Any = None,
        visible: Any = None,
        data: Any = None,
    ) -> None:
        self.arrays = [xy, class_id, keypoint_confidence, detection_confidence, visible]
        self.data = data

    @classmethod
    def empty(cls) -> KeyPoints:
        return cls(np.empty((0, 0, 2)))


def test_supervision_gets_its_key_points(monkeypatch: pytest.MonkeyPatch) -> None:
    supervision: Any = ModuleType("supervision")
    supervision.KeyPoints = KeyPoints
    monkeypatch.setitem(sys.modules, "supervision", supervision)
    points = result_of(small_pose(), small_pose()).to_supervision()
    xy, class_id, confidence, scores, visible = points.arrays
    assert xy.shape == (2, 3, 2)
    np.testing.assert_array_equal(xy[0], [[1.5, 2.5], [3.5, 4.5], [0, 0]])
    assert class_id.tolist() == [0, 0]
    assert confidence.tolist() == [[0.875, 0.25, 0]] * 2
    assert scores.tolist() == [0.75, 0.75]
    assert visible.tolist() == [[True, True, False]] * 2
    assert points.data["class_name"].tolist() == ["person", "person"]
    assert result_of().to_supervision().arrays[0].shape == (0, 0, 2)


@pytest.mark.parametrize(
    ("package", "method"), [("pandas", "to_df"), ("supervision", "to_supervision")]
)
def test_a_package_that_is_missing_is_named(
    package: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        MissingPackageError, match=rf"Result\.{method} needs {package}, .*: pip ins"
    ):
        getattr(result_of(small_pose()), method)()
