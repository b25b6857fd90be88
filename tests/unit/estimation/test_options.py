from __future__ import annotations

from typing import Any

import pytest

from posewire.v1 import estimate_pb2, pose_pb2
from posewire_server.errors import InvalidArgumentError
from posewire_server.estimation.options import EstimateOptions
from posewire_server.image.errors import InvalidRegionError
from posewire_server.image.region import RegionOfInterest

DEFAULTS = EstimateOptions(max_poses=20, min_pose_score=0.25, min_keypoint_score=0.125)


def with_options(**fields: object) -> EstimateOptions:
    return DEFAULTS.with_proto(estimate_pb2.EstimateOptions(**fields))


def test_what_is_absent_is_the_default() -> None:
    assert with_options() == DEFAULTS


def test_what_is_there_holds_zero_and_false_too() -> None:
    given: dict[str, Any] = {
        "max_poses": 1,
        "min_pose_score": 0,
        "min_keypoint_score": 1,
        "refine": False,
        "flip_test": True,
    }
    assert with_options(**given) == EstimateOptions(**given)


def test_the_default_number_of_poses_is_the_limit() -> None:
    assert with_options(max_poses=21).max_poses == 20


def test_a_flip_test_runs_the_network_twice() -> None:
    assert with_options().network_runs == 1
    assert with_options(flip_test=False).network_runs == 1
    assert with_options(flip_test=True).network_runs == 2


def test_a_region_is_taken_over() -> None:
    box = pose_pb2.Box(x_min=-1.5, y_min=2, x_max=3, y_max=4)
    assert with_options(region_of_interest=box).region == RegionOfInterest(-1.5, 2, 3, 4)


def test_defaults_are_shown_whole_and_ask_for_themselves() -> None:
    shown = DEFAULTS.to_proto()
    assert {each.name for each, _ in shown.ListFields()} == {
        *("max_poses", "min_pose_score", "min_keypoint_score", "refine", "flip_test")
    }
    assert EstimateOptions().with_proto(shown) == DEFAULTS


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -1e-6, 1.001])
@pytest.mark.parametrize("field", ["min_pose_score", "min_keypoint_score"])
def test_scores_lie_between_zero_and_one(field: str, score: float) -> None:
    with pytest.raises(InvalidArgumentError, match=f"options.{field}: got .*, want") as caught:
        with_options(**{field: score})
    assert [each.field for each in caught.value.violations] == [f"options.{field}"]


def test_a_region_that_is_no_box_is_refused() -> None:
    with pytest.raises(InvalidRegionError):
        with_options(region_of_interest=pose_pb2.Box(x_min=2, x_max=1))
