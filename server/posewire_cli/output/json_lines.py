"""Prints results as JSON, one document per line."""

from __future__ import annotations

import json
from typing import Any

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.stage_times import stage_millis
from posewire_client import FrameFailure, Origin, Outcome, Pose, Result, Skeleton, Skipped


class JsonLines:
    """Prints results on stdout; `skeleton` names the keypoints."""

    def __init__(self, skeleton: Skeleton) -> None:
        self._names = skeleton.keypoint_names

    def write(self, image: AnsweredImage) -> None:
        print(json.dumps({**image.labels, **self._record(image.outcome)}), flush=True)

    def close(self) -> None:
        pass

    def _record(self, outcome: Outcome) -> dict[str, Any]:
        match outcome:
            case Result():
                return {
                    "outcome": "result",
                    "model": outcome.model,
                    "model_version": outcome.model_version,
                    "width": outcome.image_width,
                    "height": outcome.image_height,
                    "poses": [self._pose(pose) for pose in outcome.poses],
                    "stage_millis": {
                        stage.replace(" ", "_"): round(millis, 3)
                        for stage, millis in stage_millis(outcome.stage_times)
                    },
                }
            case FrameFailure():
                error = outcome.error
                return {
                    "outcome": "error",
                    "code": error.code,
                    "reason": error.reason,
                    "message": error.message,
                }
            case Skipped():
                return {"outcome": "skipped", "reason": outcome.reason.value}

    def _pose(self, pose: Pose) -> dict[str, Any]:
        box = pose.box
        keypoints = [(name, pose[k]) for k, name in enumerate(self._names)]
        return {
            "score": round(pose.score, 4),
            "box": [round(side, 2) for side in (box.x_min, box.y_min, box.x_max, box.y_max)],
            "keypoints": {
                name: {
                    "x": round(keypoint.x, 2),
                    "y": round(keypoint.y, 2),
                    "score": round(keypoint.score, 4),
                    "origin": keypoint.origin.name.lower(),
                }
                for name, keypoint in keypoints
                if keypoint.origin != Origin.ABSENT
            },
        }
