"""Prints results as JSON, one document per line."""

from __future__ import annotations

import json
from typing import Any

from posewire_cli.output.answered_image import AnsweredImage
from posewire_client import FrameFailure, Outcome, Result, Skeleton, Skipped
from posewire_client.document import result_document


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
                document = result_document(outcome, names=self._names)
                document.pop("frame_id", None)  # the labels identify the image
                return {"outcome": "result", **document}
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
