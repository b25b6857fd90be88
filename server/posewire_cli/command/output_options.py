"""Options for the output of poses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Group, Parameter

from posewire_cli.command.option_types import OutputPath
from posewire_cli.output.answered_image import Writer
from posewire_cli.output.coco_results import CocoResults
from posewire_cli.output.openpose_files import OpenPoseFiles
from posewire_cli.output.output_files import OutputFile, check_outputs

OUTPUT = Group("Output", sort_key=4)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    json: bool = False
    """Print one line of JSON per image or frame."""

    coco: OutputPath | None = None
    """File for all poses, in COCO results format."""

    openpose: OutputPath | None = None
    """Directory for one OpenPose JSON file per image, with 18 COCO keypoints."""

    save: bool = False
    """Save annotated images or the annotated video in runs/predict, runs/predict2, ..."""

    show: bool = False
    """Show results in a window; q stops."""

    timings: bool = False
    """Print the time of each stage."""

    overwrite: bool = False
    """Replace output files that exist (default: they are an error). Never replaces an input."""

    def check_files(self, files: Iterable[OutputFile], *, inputs: Iterable[Path]) -> None:
        """Raise `OutputError` unless --coco and these files can be written."""
        coco = [] if self.coco is None else [OutputFile("--coco", self.coco)]
        check_outputs([*coco, *files], inputs=inputs, overwrite=self.overwrite)

    def file_writers(self) -> Iterator[Writer]:
        """Open the files that the options name."""
        if self.coco is not None:
            yield CocoResults(self.coco)
        if self.openpose is not None:
            yield OpenPoseFiles(self.openpose)
