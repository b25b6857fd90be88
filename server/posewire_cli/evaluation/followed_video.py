"""Compares the tracks of a stream with the people annotated in its video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np

from posewire_cli.evaluation.coco_dataset import Record
from posewire_cli.evaluation.errors import DatasetError, EvaluationError
from posewire_cli.evaluation.track_dataset import AnnotatedFrame, AnnotatedVideo
from posewire_cli.evaluation.tracking import TrackedFrame, oks
from posewire_client import FrameFailure, Outcome, Pose, Result, Skeleton

# Streams the frames of a video and yields one outcome for each, in order.
Follow: TypeAlias = Callable[[AnnotatedVideo], Iterable[Outcome]]


class TrackComparison:
    """Collects the tracks of videos frame by frame.

    `names`: the annotated keypoints. Those that the skeleton of the model has too are compared.
    Raises `DatasetError` if there is none.
    """

    def __init__(self, names: Sequence[str], skeleton: Skeleton) -> None:
        self.clips: list[list[TrackedFrame]] = []
        self.results: list[Record] = []
        """The poses of annotated frames, in COCO results format; tracked ones with ids."""
        shared = [name for name in names if name in skeleton.keypoint_names]
        if not shared:
            raise DatasetError(
                f"the model finds none of the annotated keypoints {', '.join(names)}, want some of "
                f"{', '.join(skeleton.keypoint_names)}"
            )
        self._keypoints = len(skeleton.keypoint_names)
        self._annotated = [names.index(name) for name in shared]
        self._found = [skeleton.keypoint_names.index(name) for name in shared]
        self._sigmas = [skeleton.oks_sigmas[k] for k in self._found]

    def add(self, video: AnnotatedVideo, follow: Follow, *, limit: int | None) -> None:
        """Follow people through a video and compare its annotated frames below `limit`.

        Frames that are not annotated are followed too. Raises `EvaluationError` if a frame fails or
        an annotated frame is not in the video.
        """
        clip: list[TrackedFrame] = []
        count = 0
        for number, outcome in enumerate(follow(video)):
            count += 1
            if not isinstance(outcome, Result):
                fault = outcome.error if isinstance(outcome, FrameFailure) else "was skipped"
                raise EvaluationError(f"frame {number}: {fault}")
            if number in video.frames:
                poses = [pose for pose in outcome.poses if pose.track_id is not None]
                clip.append(self._compare(video.frames[number], poses))
                self.results += outcome.to_coco(video.frames[number].image_id)
        beyond = [number for number in video.frames if number >= count]
        if beyond and (limit is None or count < limit):
            raise EvaluationError(
                f"frame {min(beyond)} is annotated, but the video has {count} frames; want "
                "annotations of this video, with frames numbered from 0"
            )
        self.clips.append(clip)

    def _compare(self, frame: AnnotatedFrame, poses: Sequence[Pose]) -> TrackedFrame:
        found = np.array([pose.keypoints for pose in poses], np.float32)
        found = found.reshape(len(poses), self._keypoints, 2)
        return TrackedFrame(
            true_ids=frame.track_ids,
            found_ids=[pose.track_id for pose in poses if pose.track_id is not None],
            similarity=oks(
                frame.keypoints[:, self._annotated],
                frame.is_labelled[:, self._annotated],
                frame.areas,
                found[:, self._found],
                self._sigmas,
            ),
        )
