"""The present load of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelLoad:
    """`waiting`: frames that wait for their turn. `busy`: inference requests in use.

    `is_stalled`: whether an inference has run for too long. The others are means over the last
    seconds. `utilization`: as in `Utilization`. `results_per_sec`: frames with a result.
    """

    waiting: int
    busy: int
    is_stalled: bool = False
    utilization: float = 0.0
    results_per_sec: float = 0.0


@dataclass(frozen=True, slots=True)
class ServiceLoad:
    """The number of open streams, and the load of each model by name."""

    streams: int = 0
    models: Mapping[str, ModelLoad] = field(default_factory=dict)
