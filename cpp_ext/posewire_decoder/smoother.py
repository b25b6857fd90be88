"""The smoother and its options: a typed interface to the compiled one."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import number


@dataclass(frozen=True, slots=True, kw_only=True)
class SmootherOptions:
    """Parameters of the One-Euro filter.

    Lengths are in scales of the person, the square root of the area of the box around the
    keypoints. `min_cutoff_hz`: the cutoff at rest; lower values shake less. `cutoff_per_speed`: Hz
    per scale a second; higher values lag less. `speed_cutoff_hz`: the cutoff of the speed itself.
    `max_gap_secs`: a keypoint not seen for longer begins anew.
    """

    min_cutoff_hz: float = 1.0
    cutoff_per_speed: float = 8.0
    speed_cutoff_hz: float = 2.0
    max_gap_secs: float = 0.2


class Smoother:
    """Smooths the keypoints of tracked poses over the frames of one stream."""

    def __init__(self, options: SmootherOptions | None = None) -> None:
        options = options or SmootherOptions()
        compiled = _core.SmootherOptions()
        for field in fields(options):
            setattr(compiled, field.name, number(field.name, getattr(options, field.name)))
        self._smoother = _core.Smoother(compiled)

    def update(
        self,
        secs: float,
        keypoints: NDArray[np.float32],
        keypoint_scores: NDArray[np.float32],
        origins: NDArray[np.uint8],
        track_ids: NDArray[np.uint32],
    ) -> NDArray[np.float32]:
        """Return the smoothed keypoints (N, K, 2) of the next frame.

        The arguments are those of `Tracker.update`, and `track_ids` uint32 (N,) what it returned.
        Absent keypoints and poses without an id stay as they are. Raises `TypeError` and
        `ValueError` for arguments that do not fit.
        """
        return self._smoother.update(
            number("secs", secs), keypoints, keypoint_scores, origins, track_ids
        )
