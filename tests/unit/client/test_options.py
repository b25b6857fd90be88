from __future__ import annotations

import math
import re
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

import posewire_client
from posewire_client import Box, Client, Delivery, EstimateOptions, SmoothingOptions
from posewire_client.request import estimate_request


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_poses": -1}, "max_poses: got -1, want 1 or more"),
        ({"max_poses": 0}, "max_poses: got 0, want 1 or more"),
        ({"max_poses": 1 << 32}, "max_poses: got 4294967296, want at most 4294967295"),
        ({"min_pose_score": 1.5}, "min_pose_score: got 1.5, want a number from 0 to 1"),
        ({"min_keypoint_score": math.nan}, "min_keypoint_score: got nan, want a number from 0 to"),
        ({"region_of_interest": (1, 2, 3)}, "region_of_interest: got (1, 2, 3), want (x_min, y_"),
        ({"region_of_interest": (9, 0, 1, 1)}, "with x_min <= x_max and y_min <= y_max"),
        ({"region_of_interest": Box(0, 0, math.inf, 1)}, "all finite"),
        ({"region_of_interest": "abcd"}, "region_of_interest: got 'abcd', want (x_min, y_min"),
    ],
)
def test_a_value_out_of_range_is_named(options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        EstimateOptions(**options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max_poses": 2.5}, "max_poses: got 2.5, want a whole number"),
        ({"max_poses": True}, "max_poses: got True, want a whole number"),
        ({"min_pose_score": "0.5"}, "min_pose_score: got '0.5', want a number"),
        ({"refine": 1}, "refine: got 1, want True or False"),
        ({"region_of_interest": 7}, "region_of_interest: got 7, want (x_min, y_min"),
    ],
)
def test_a_value_of_another_type_is_named(options: Any, said: str) -> None:
    with pytest.raises(TypeError, match=re.escape(said)):
        EstimateOptions(**options)


@pytest.mark.parametrize(
    "region", [(1, 2, 3, 4), [1, 2, 3, 4], np.array([1, 2, 3, 4]), Box(1, 2, 3, 4)], ids=type
)
def test_a_region_may_be_four_numbers(region: Any) -> None:
    options = EstimateOptions(region_of_interest=region)
    assert options.region_of_interest == Box(1.0, 2.0, 3.0, 4.0)
    box = estimate_request(b"x", model="", options=options).options.region_of_interest
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_cutoff_hz": 0}, "min_cutoff_hz: got 0, want a number from 0.001 to 1000"),
        ({"cutoff_per_speed": -1}, "cutoff_per_speed: got -1, want a number from 0 to 1000"),
        ({"speed_cutoff_hz": math.nan}, "speed_cutoff_hz: got nan, want a number from 0.001"),
        ({"max_gap_secs": 11}, "max_gap_secs: got 11, want a number from 0 to 10"),
    ],
)
def test_a_smoothing_option_out_of_range_is_named(options: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        SmoothingOptions(**options)


def test_smoothing_options_of_another_type_are_named() -> None:
    with pytest.raises(TypeError, match="max_gap_secs: got '1', want a number"):
        SmoothingOptions(max_gap_secs="1")  # type: ignore[arg-type]
    said = re.escape("smoothing_options: got {}, want SmoothingOptions")
    with Client("localhost:1") as client, pytest.raises(TypeError, match=said):
        client.stream([], smoothing_options={})  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers() -> None:
    options = EstimateOptions(max_poses=np.int64(3), min_pose_score=np.float32(0.5))  # type: ignore
    sent = estimate_request(b"x", model="", options=options).options
    assert (sent.max_poses, sent.min_pose_score) == (3, 0.5)


def test_options_of_another_type_are_named() -> None:
    wrong: Any = {"max_poses": 1}
    with pytest.raises(TypeError, match=r"options: got \{'max_poses': 1\}, want Est"):
        estimate_request(b"x", model="", options=wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"window": 0}, "window: got 0, want 1 or more"),
        ({"window": 1.5}, "window: got 1.5, want a whole number"),
        (
            {"delivery": "latest"},
            "delivery: got 'latest', want Delivery.LOSSLESS or Delivery.LATEST",
        ),
        (
            {"delivery": Delivery.LATEST, "max_frame_age_secs": 0},
            "max_frame_age_secs: got 0, want a positive, finite number",
        ),
        ({"max_frame_age_secs": 1}, "max_frame_age_secs: got Delivery.LOSSLESS, want it with"),
    ],
)
def test_arguments_of_a_stream_are_checked_at_once(arguments: Any, said: str) -> None:
    with (
        Client("127.0.0.1:1") as client,
        pytest.raises((TypeError, ValueError), match=re.escape(said)),
    ):
        client.stream([], **arguments)


def test_the_package_has_its_version() -> None:
    assert posewire_client.__version__ == version("posewire")
    with pytest.raises(AttributeError, match="no attribute 'versions'"):
        _ = posewire_client.versions  # type: ignore[attr-defined]
