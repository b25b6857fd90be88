"""The posewire server: images in, poses out, over gRPC; `LocalEstimator` needs no server."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posewire_server.estimation.local_estimator import LocalEstimator

__all__ = ["LocalEstimator"]


def __getattr__(name: str) -> object:
    """Import on first use, because most modules here need no OpenVINO."""
    if name == "LocalEstimator":
        from posewire_server.estimation.local_estimator import LocalEstimator

        return LocalEstimator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
