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
from posewire_cli.command.output_options import OUTPUT, OutputOptions
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.errors import OutputError
from posewire_cli.output.annotated_images import AnnotatedImages
from posewire_cli.output.answered_image import Writer
from posewire_cli.output.json_lines import JsonLines
from posewire_cli.output.summary import Summary
from posewire_cli.output.text_lines import TextLines
from posewire_cli.output.writing import write_all
from posewire_cli.source.image_files import image_files
from posewire_client import Result, Skeleton


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOutputOptions(OutputOptions):
    annotated: Path | None = None
    """Directory for a PNG of each image with its poses drawn."""

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
    paths = image_files(images)
    _check_output_names(paths, output)
    summary = Summary()
    with connect(target) as connection:
        model = connection.model
        warn_about_demo(model.name, paths)
        send = partial(connection.client.stream, model=model.name, options=estimation.to_client())
        writers = output.writers(model.skeleton, min_keypoint_score=estimation.min_keypoint_score)
        write_all(
            estimate_files(send, paths, apply_orientation=not ignore_orientation),
            [summary, *writers],
            total=len(paths),
            unit="image",
            # The printed lines show the progress.
            hide_bar=sys.stdout.isatty(),
        )
    return 0 if summary.counts[Result] == len(paths) else 1


def _check_output_names(paths: Sequence[Path], output: ImageOutputOptions) -> None:
    """Raise `OutputError` if an output file would overwrite another, or an input."""
    if output.openpose is None and output.annotated is None:
        return
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(path.stem, path)
        if other is not path:
            raise OutputError(
                f"{other} and {path}: both outputs would be named {path.stem}, want different "
                "names; process them one after the other"
            )
        if output.annotated is not None:
            drawn = output.annotated / f"{path.stem}.png"
            if drawn.resolve() == path.resolve():
                raise OutputError(
                    f"--annotated {output.annotated}: {path} would be overwritten, want another "
                    "directory"
                )
