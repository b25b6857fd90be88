"""The tracker and its options: a typed interface to the compiled one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import integer, number, numbers

Region = Sequence[tuple[int, int, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerOptions:
    """How a tracker decides. Scores are pose scores.

    `oks_sigmas`: of the K keypoints. `high_score`: poses from here on are matched first, then those
    from `low_score` on; others are ignored. `new_score`: the least score that begins a track.
    A track is confirmed by a pose of `sure_score` or by `confirm_hits` poses. `max_lost_secs`: how
    long it waits for its person. `max_tracks`: beyond it the tracks not seen for longest are
    dropped. `colour_weight`: the share of the similarity that other colours take away.
    """

    oks_sigmas: Sequence[float]
    high_score: float = 0.35
    low_score: float = 0.12
    new_score: float = 0.4
    sure_score: float = 0.55
    confirm_hits: int = 2
    max_lost_secs: float = 2.0
    max_tracks: int = 100
    colour_weight: float = 0.8


class Tracker:
    """Follows people over the frames of one stream.

    Poses are matched with tracks by the object keypoint similarity of predicted and found keypoints
    and by colours. Raises `TypeError` and `ValueError` for options that do not fit.
    """

    def __init__(self, options: TrackerOptions) -> None:
        compiled = _core.TrackerOptions()
        compiled.oks_sigmas = numbers("oks_sigmas", options.oks_sigmas)
        for field in fields(options)[1:]:
            convert = integer if field.type == "int" else number
            setattr(compiled, field.name, convert(field.name, getattr(options, field.name)))
        self._tracker = _core.Tracker(compiled)

    def update(
        self,
        secs: float,
        keypoints: NDArray[np.float32],
        keypoint_scores: NDArray[np.float32],
        origins: NDArray[np.uint8],
        scores: NDArray[np.float32],
        colours: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint32]:
        """Return the track ids (N,) of the poses of the next frame: from 1, or 0 for none.

        `secs`: when the frame was captured, on any clock. `keypoints` float32 (N, K, 2),
        `keypoint_scores` float32 (N, K), `origins` uint8 (N, K) and `scores` float32 (N,), all
        C-contiguous: poses as in `Poses`, best first, in pixels. `colours`: what `sample_colours`
        returned for them.

        Raises `TypeError` and `ValueError` for arguments that do not fit.
        """
        return self._tracker.update(
            number("secs", secs), keypoints, keypoint_scores, origins, scores, colours
        )

    def save(self, *, max_tracks: int) -> bytes:
        """Return the state, with at most `max_tracks` confirmed tracks, those seen last.

        A track takes about 300 bytes. Positions are rounded to 1/8 pixel.
        """
        return self._tracker.save(max(0, integer("max_tracks", max_tracks)))

    def restore(self, state: bytes) -> None:
        """Take on a state that `save` returned. Raises `ValueError` for other bytes."""
        self._tracker.restore(state)


def sample_colours(
    image: NDArray[np.uint8],
    keypoints: NDArray[np.float32],
    keypoint_scores: NDArray[np.float32],
    origins: NDArray[np.uint8],
    regions: Sequence[Region],
) -> NDArray[np.float32]:
    """Return the colours (N, R, 4) of R regions of the body of each pose in an image.

    `image`: uint8 (H, W, 3). A region is a list of points (first keypoint, second keypoint, share
    of the way from the first to the second), the poses are those of `Tracker.update` in pixels of
    the image. Of the four values three are the mean colour, and the last is the share of the
    region's points that were sampled: those between two keypoints and in the image.

    Raises `TypeError` and `ValueError` for arguments that do not fit.
    """
    return _core.sample_colours(image, keypoints, keypoint_scores, origins, regions)


def minimum_cost_assignment(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the column of each row in the assignment of least total cost.

    `cost`: float64 (R, C), R at most C, all finite and C-contiguous. Raises `TypeError` and
    `ValueError` for others.
    """
    return np.array(_core.minimum_cost_assignment(cost), np.intp)
