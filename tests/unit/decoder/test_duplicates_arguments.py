"""What does not fit `join_duplicates` is refused by name, with what came and what is wanted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from posewire_decoder import Origin, join_duplicates

N, K = 3, 17


def arguments() -> dict[str, Any]:
    return {
        "keypoints": np.zeros((N, K, 2), np.float32),
        "keypoint_scores": np.ones((N, K), np.float32),
        "origins": np.full((N, K), Origin.DETECTED, np.uint8),
        "oks_sigmas": [0.05] * K,
        "oks_threshold": 0.5,
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("keypoints", None, "got NoneType, want a numpy.ndarray of float32"),
        ("keypoints", np.zeros((N, K, 2)), "got dtype float64, want float32"),
        ("keypoint_scores", np.zeros((N, K)), "got dtype float64, want float32"),
        ("origins", [[1] * K] * N, "got list, want a numpy.ndarray of uint8"),
        ("origins", np.ones((N, K), np.int64), "got dtype int64, want uint8"),
        ("oks_sigmas", 0.05, "got 0.05, want a sequence of numbers"),
        ("oks_sigmas", "0.05", "got '0.05', want a sequence of numbers"),
        ("oks_sigmas", [None] * K, "got None, want a number"),
        ("oks_threshold", "half", "got 'half', want a number"),
    ],
)
def test_another_type_is_a_type_error(name: str, value: object, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}: {re.escape(message)}"):
        join_duplicates(**{**arguments(), name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("keypoints", np.zeros((N, K), np.float32), f"got shape ({N}, {K}), want (N, K, 2)"),
        ("keypoints", np.zeros((N, K, 3), np.float32), f"got shape ({N}, {K}, 3), want (N, K, 2)"),
        ("keypoints", np.zeros((2, K, N), np.float32).T, "got strides"),
        ("keypoint_scores", np.zeros((N, 1), np.float32), f"got shape ({N}, 1), want ({N}, {K})"),
        ("origins", np.zeros(N, np.uint8), f"got shape ({N},), want ({N}, {K})"),
        ("origins", np.zeros((N, 2 * K), np.uint8)[:, ::2], "got strides"),
        ("oks_sigmas", [0.05] * 3, f"got 3, want {K}, one per keypoint"),
        ("oks_sigmas", [0.0] * K, "got 0, want finite numbers above 0"),
        ("oks_sigmas", [float("nan")] * K, "got nan, want finite numbers above 0"),
        ("oks_threshold", 0.0, "got 0, want a number above 0 and at most 1"),
        ("oks_threshold", 1.5, "got 1.5, want a number above 0 and at most 1"),
        ("oks_threshold", float("nan"), "got nan, want a number above 0 and at most 1"),
    ],
)
def test_what_does_not_fit_is_a_value_error(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: {re.escape(message)}"):
        join_duplicates(**{**arguments(), name: value})
