"""`posewire predict`: the people in image files."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from posewire_cli.command.estimate_arguments import add_estimate_arguments, estimate_options
from posewire_cli.command.output_arguments import (
    add_output_arguments,
    drawn_keypoint_score,
    file_writers,
)
from posewire_cli.command.target_arguments import add_target_arguments, check_target
from posewire_cli.errors import OutputError

if TYPE_CHECKING:
    from posewire_cli.output.answered_image import Writer
    from posewire_client import Skeleton


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "predict",
        help="find the people in image files",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Find the people in image files (JPEG, PNG, WebP, BMP).

            One line is printed for each image. An image that cannot be handled gets its
            line too, the others go on, and the exit code is 1."""),
        epilog="example: posewire predict --model demo --annotated drawn photos/ 'more/*.png'",
    )
    parser.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        help="a file, a directory with some, or a pattern such as 'photos/**/*.jpg'",
    )
    add_target_arguments(parser)
    add_estimate_arguments(parser)
    add_output_arguments(
        parser,
        image_ids="an image's id is the number that it is called by, as COCO's are, or else its "
        "place among the images, from 1 on",
        annotated=("DIR", "write a PNG of each image with its poses drawn into it"),
    )
    parser.set_defaults(run=lambda options: _run(check_target(parser, options)))


def _run(options: argparse.Namespace) -> int:
    from posewire_cli.batches import estimate_files
    from posewire_cli.command.connection import connected
    from posewire_cli.output.summary import Summary
    from posewire_cli.output.writing import write_all
    from posewire_cli.source.image_files import image_files
    from posewire_client import Result

    paths = image_files(options.images)
    _check_names(paths, options)
    summary = Summary()
    with connected(options) as connection:
        stream = partial(
            connection.client.stream, model=connection.model.name, options=estimate_options(options)
        )
        write_all(
            estimate_files(stream, paths),
            [summary, *_writers(options, connection.model.skeleton)],
            total=len(paths),
            unit="image",
            # The lines themselves show the progress.
            hide_bar=sys.stdout.isatty(),
        )
    return 0 if summary.counts[Result] == len(paths) else 1


def _check_names(paths: Sequence[Path], options: argparse.Namespace) -> None:
    """Two images of the same name would have the same file of answers."""
    if options.openpose is None and options.annotated is None:
        return
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(path.stem, path)
        if other is not path:
            raise OutputError(
                f"{other} and {path}: the files about both would be called {path.stem}, want "
                "different names; ask for them one after the other"
            )
    if options.annotated is not None:
        _check_overwrites_nothing(paths, options.annotated)


def _check_overwrites_nothing(paths: Sequence[Path], directory: Path) -> None:
    for path in paths:
        if (directory / f"{path.stem}.png").resolve() == path.resolve():
            raise OutputError(
                f"--annotated {directory}: {path} would be overwritten, want another directory"
            )


def _writers(options: argparse.Namespace, skeleton: Skeleton) -> Iterator[Writer]:
    from posewire_cli.output.annotated_images import AnnotatedImages
    from posewire_cli.output.json_lines import JsonLines
    from posewire_cli.output.text_lines import TextLines

    yield JsonLines(skeleton) if options.json else TextLines()
    yield from file_writers(options)
    if options.annotated is not None:
        yield AnnotatedImages(
            options.annotated, skeleton, min_keypoint_score=drawn_keypoint_score(options)
        )
