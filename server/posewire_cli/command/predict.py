"""`posewire predict`: find people in image files."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from posewire_cli.command.batch_engines import (
    check_ray_target,
    find_images_for_ray,
    run_on_ray,
    run_on_server,
)
from posewire_cli.command.demo_warning import warn_about_demo
from posewire_cli.command.drawing_options import DrawingOptions
from posewire_cli.command.estimation_options import ESTIMATION, EstimationOptions
from posewire_cli.command.option_types import OutputPath
from posewire_cli.command.output_options import OUTPUT, OutputOptions
from posewire_cli.command.target_options import TARGET, TargetOptions
from posewire_cli.errors import SourceError
from posewire_cli.output.annotated_images import AnnotatedImages, annotated_file
from posewire_cli.output.answered_image import Writer
from posewire_cli.output.drawn_frames import DrawnImages
from posewire_cli.output.error_lines import ErrorLines
from posewire_cli.output.json_lines import JsonLines
from posewire_cli.output.openpose_files import openpose_file
from posewire_cli.output.output_files import OutputFile
from posewire_cli.output.runs import SavedNotice, create_run, next_run
from posewire_cli.output.summary import Summary
from posewire_cli.output.text_lines import TextLines
from posewire_cli.output.window import Window, check_can_show
from posewire_cli.output.writing import write_all
from posewire_cli.source.image_files import find_images
from posewire_cli.source.source_image import SourceImage
from posewire_client import Result, Skeleton
from posewire_client.drawing import Style

_LOG = logging.getLogger(__name__)


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutputOptions(OutputOptions):
    annotated: OutputPath | None = None
    """Directory for a PNG of each image with its poses drawn."""

    def check(self, images: Sequence[SourceImage], *, model_files: Sequence[Path]) -> None:
        """Raise `OutputError` unless all files can be written and destroy nothing."""
        named = (
            ("--annotated", self.annotated, annotated_file),
            ("--save", next_run() if self.save else None, annotated_file),
            ("--openpose", self.openpose, openpose_file),
        )
        files = [
            OutputFile(option, name(directory, image.stem), image.name, makes_directories=True)
            for option, directory, name in named
            if directory is not None
            for image in images
            if not image.is_absent
        ]
        inputs = [image.path for image in images if image.path is not None]
        self.check_files(files, inputs=[*inputs, *model_files])
        if self.show:
            check_can_show()

    def writers(self, skeleton: Skeleton, style: Style) -> Iterator[Writer]:
        """Open all outputs. `style`: that of annotated images."""
        yield JsonLines(skeleton) if self.json else TextLines(timings=self.timings)
        yield ErrorLines()
        yield from self.file_writers()
        images = DrawnImages(skeleton, style)
        if self.annotated is not None:
            yield AnnotatedImages(self.annotated, images)
        if self.save:
            directory = create_run()
            yield SavedNotice(directory, to_stderr=self.json)
            yield AnnotatedImages(directory, images)
        if self.show:
            yield Window(images.draw, waits=True)


def predict(
    *images: Annotated[str, Parameter(required=True)],
    recursive: Annotated[bool, Parameter(alias="-r")] = False,
    target: TargetOptions = TargetOptions(),
    estimation: EstimationOptions = EstimationOptions(),
    output: ImageOutputOptions = ImageOutputOptions(),
    drawing: DrawingOptions = DrawingOptions(),
    ignore_orientation: Annotated[bool, Parameter(group=ESTIMATION)] = False,
    engine: Annotated[Literal["local", "ray"], Parameter(group=TARGET)] = "local",
) -> int:
    """
    Parameters
    ----------
    images
        Files, directories, patterns such as 'photos/**/*.jpg', http(s) addresses, or - for stdin.
    recursive
        Also search the subdirectories of directories.
    ignore_orientation
        Use the pixels as stored, without the EXIF orientation.
    engine
        Where --model runs: here, or in the Ray cluster of RAY_ADDRESS (default: a new one).
    """
    target.check()
    if engine == "ray":
        check_ray_target(target)
        found = find_images_for_ray(images, recursive=recursive)
    else:
        found = find_images(images, recursive=recursive)
    _LOG.info("images found: %d", sum(not image.is_absent for image in found))
    if all(image.is_absent for image in found):
        return _report_absent(found)
    output.check(found, model_files=target.model_files())
    summary = Summary()
    run = run_on_ray if engine == "ray" else run_on_server
    options = estimation.to_client()
    with run(target, found, options, apply_orientation=not ignore_orientation) as batch:
        warn_about_demo(
            batch.model, [each.path or each.name for each in found if not each.is_absent]
        )
        style = drawing.to_style(default="limb", min_keypoint_score=estimation.min_keypoint_score)
        write_all(
            batch.answered,
            [summary, *output.writers(batch.skeleton, style)],
            total=len(found),
            unit="image",
            # The printed lines show the progress.
            hide_bar=sys.stdout.isatty(),
        )
    failed = sum(summary.counts.values()) - summary.counts[Result]
    if failed:
        print(f"posewire: {failed} of {len(found)} images failed", file=sys.stderr)
    return 1 if failed else 0


def _report_absent(images: Sequence[SourceImage]) -> int:
    """Report that there is nothing to do, without starting a server."""
    for image in images:
        try:
            image.read()
        except SourceError as error:
            print(f"posewire: {image.name}: {error}", file=sys.stderr)
    return 1
