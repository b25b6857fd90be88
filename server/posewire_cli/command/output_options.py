"""Options for the output of poses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Group, Parameter

from posewire_cli.output.answered_image import Writer
from posewire_cli.output.coco_results import CocoResults
from posewire_cli.output.openpose_files import OpenPoseFiles

OUTPUT = Group("Output", sort_key=4)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    json: bool = False
    """Print one line of JSON per image or frame."""

    coco: Path | None = None
    """File for all poses, in COCO results format."""

    openpose: Path | None = None
    """Directory for one OpenPose JSON file per image, with 18 COCO keypoints."""

    def file_writers(self) -> Iterator[Writer]:
        """Open the files that the options name."""
        if self.coco is not None:
            yield CocoResults(self.coco)
        if self.openpose is not None:
            yield OpenPoseFiles(self.openpose)
