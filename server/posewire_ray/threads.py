"""Keeps an actor within the processors that Ray has assigned to it."""

from __future__ import annotations

import cv2
import ray


def bound_threads(threads: int | None = None) -> int:
    """Return the number of threads for a network, and keep OpenCV to as many.

    `threads`: None for the whole processors of this actor, at least one. Outside of Ray that is 0,
    which leaves the choice to OpenVINO.
    """
    if threads is None:
        threads = _assigned_processors()
    if threads:
        cv2.setNumThreads(threads)
    return threads


def _assigned_processors() -> int:
    if not ray.is_initialized():
        return 0
    return max(1, int(ray.get_runtime_context().get_assigned_resources().get("CPU", 0)))
