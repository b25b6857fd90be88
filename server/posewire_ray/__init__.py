"""posewire on Ray: poses as columns of a dataset, and unary calls in Ray Serve.

For bulk work, and for existing Ray clusters. Many servers behind one address need no Ray.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posewire_ray.estimator import PoseEstimator

__all__ = ["PoseEstimator"]


def __getattr__(name: str) -> object:
    """Import on first use, because finding files needs no OpenVINO."""
    if name == "PoseEstimator":
        from posewire_ray.estimator import PoseEstimator

        return PoseEstimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
