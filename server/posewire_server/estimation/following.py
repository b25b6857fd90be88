"""Follows the people of one stream: track ids, and smoothed keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Origin, Smoother, SmootherOptions, Tracker, TrackerOptions
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.options import EstimateOptions
from posewire_server.skeleton import COCO, Skeleton

_ABSENT = np.uint8(Origin.ABSENT)
# Shares of the model's min_pose_score: the tracker's thresholds, chosen for 0.35.
_LOW, _NEW, _SURE = 0.34, 1.15, 1.57
_LEAST_SCORE = 0.02  # of a model without a min_pose_score, whose weakest poses are noise


class Follower:
    """The tracker and the smoother of one stream; the latter if there is `smoothing`.

    `options`: those that the stream asked for. `min_pose_score`: the model's default, which the
    tracker's thresholds follow.
    """

    def __init__(
        self,
        options: EstimateOptions,
        *,
        min_pose_score: float | None = None,
        smoothing: SmootherOptions | None = None,
        colours: bool = True,
        skeleton: Skeleton = COCO,
    ) -> None:
        high = options.min_pose_score if min_pose_score is None else min_pose_score
        high = max(high, _LEAST_SCORE)
        low = _LOW * high
        self._options = options
        # The tracker also needs the poses and keypoints that the client does not want.
        self.estimate_options = replace(
            options,
            min_pose_score=min(low, options.min_pose_score),
            min_keypoint_score=0.0,
            max_poses=EstimateOptions().max_poses,
            for_tracking=colours,
        )
        self._tracker = Tracker(
            TrackerOptions(
                oks_sigmas=skeleton.oks_sigmas,
                high_score=high,
                low_score=low,
                new_score=min(1.0, _NEW * high),
                sure_score=_SURE * high,
            )
        )
        self._smoother = None if smoothing is None else Smoother(smoothing)
        self.newest_id = 0
        """The greatest track id given so far."""

    def follow(
        self, secs: float, poses: FramePoses, colours: NDArray[np.float32] | None = None
    ) -> FramePoses:
        """Return the poses of the next frame that the client wants, with the ids of their tracks.

        `secs`: when the frame was captured. `poses`, `colours`: of an estimate with
        `estimate_options`.
        """
        found = (poses.keypoints, poses.keypoint_scores, poses.origins)
        ids = self._tracker.update(secs, *found, poses.scores, colours)
        self.newest_id = max(self.newest_id, int(ids.max(initial=0)))
        keypoints = poses.keypoints
        if self._smoother is not None:
            keypoints = self._smoother.update(secs, *found, ids)
        return _select(replace(poses, keypoints=keypoints, track_ids=ids), self._options)

    def save(self, *, max_tracks: int) -> bytes:
        """Return the state of the tracks, for `restore`. Smoothing begins anew."""
        return self._tracker.save(max_tracks=max_tracks)

    def restore(self, state: bytes) -> None:
        """Continue the tracks of another follower. Raises `ValueError` for other bytes."""
        self._tracker.restore(state)


def _select(poses: FramePoses, options: EstimateOptions) -> FramePoses:
    """Apply limits and thresholds, rounded to float32 as the decoder does."""
    kept = poses.keypoint_scores >= np.float32(options.min_keypoint_score)
    origins = np.where(kept, poses.origins, _ABSENT)
    is_wanted = poses.scores >= np.float32(options.min_pose_score)
    is_wanted &= (origins != _ABSENT).any(axis=1)
    wanted = np.flatnonzero(is_wanted)[: options.max_poses]
    return FramePoses(
        np.where(kept[..., None], poses.keypoints, np.float32(0))[wanted],
        np.where(kept, poses.keypoint_scores, np.float32(0))[wanted],
        origins[wanted],
        poses.scores[wanted],
        None if poses.track_ids is None else poses.track_ids[wanted],
    )
