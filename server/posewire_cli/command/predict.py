"""`posewire predict`: find people in image files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from posewire_cli.batches import estimate_files
from posewire_cli.command.connection import connect
from posewire_cli.command.demo_warning import warn_about_demo
from posewire_cli.command.estimation_options import ESTIMATION, EstimationOptions
from posewire_cli.command.option_types import OutputPath
from posewire_cli.command.output_options import OUTPUT, OutputOptions
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.output.annotated_images import AnnotatedImages, annotated_file
from posewire_cli.output.answered_image import Writer
from posewire_cli.output.json_lines import JsonLines
from posewire_cli.output.openpose_files import openpose_file
from posewire_cli.output.output_files import OutputFile
from posewire_cli.output.summary import Summary
from posewire_cli.output.text_lines import TextLines
from posewire_cli.output.writing import write_all
from posewire_cli.source.image_files import find_images
from posewire_cli.source.source_image import SourceImage
from posewire_client import Result, Skeleton


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutputOptions(OutputOptions):
    annotated: OutputPath | None = None
    """Directory for a PNG of each image with its poses drawn."""

    def check(self, images: Sequence[SourceImage], *, model_files: Sequence[Path]) -> None:
        """Raise `OutputError` unless all files can be written and destroy nothing."""
        named = (
            ("--annotated", self.annotated, annotated_file),
            ("--openpose", self.openpose, openpose_file),
        )
        files = [
            OutputFile(option, name(directory, image.stem), image.name, makes_directories=True)
            for option, directory, name in named
            if directory is not None
            for image in images
        ]
        inputs = [image.path for image in images if image.path is not None]
        self.check_files(files, inputs=[*inputs, *model_files])

    def writers(self, skeleton: Skeleton, *, min_keypoint_score: float | None) -> Iterator[Writer]:
        """Open all outputs. `min_keypoint_score`: of the keypoints drawn, None for the default."""
        yield JsonLines(skeleton) if self.json else TextLines()
        yield from self.file_writers()
        if self.annotated is not None:
            yield AnnotatedImages(self.annotated, skeleton, min_keypoint_score=min_keypoint_score)


def predict(
    *images: Annotated[str, Parameter(required=True)],
    target: TargetOptions = TargetOptions(),
    estimation: EstimationOptions = EstimationOptions(),
    output: ImageOutputOptions = ImageOutputOptions(),
    ignore_orientation: Annotated[bool, Parameter(group=ESTIMATION)] = False,
) -> int:
    """
    Parameters
    ----------
    images
        Files, directories, or patterns such as 'photos/**/*.jpg'.
    ignore_orientation
        Use the pixels as stored, without the EXIF orientation.
    """
    target.check()
    found = find_images(images)
    output.check(found, model_files=target.model_files())
    summary = Summary()
    with connect(target) as connection:
        model = connection.model
        warn_about_demo(model.name, [each.path or each.name for each in found])
        send = partial(connection.client.stream, model=model.name, options=estimation.to_client())
        writers = output.writers(model.skeleton, min_keypoint_score=estimation.min_keypoint_score)
        write_all(
            estimate_files(send, found, apply_orientation=not ignore_orientation),
            [summary, *writers],
            total=len(found),
            unit="image",
            # The printed lines show the progress.
            hide_bar=sys.stdout.isatty(),
        )
    return 0 if summary.counts[Result] == len(found) else 1
