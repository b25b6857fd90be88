"""Where answers go, as arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posewire_cli.output.answered_image import Writer

# Below it refine's guesses clutter a picture; see posewire_cli.output.drawing.
DRAWN_KEYPOINT_SCORE = 0.1


def add_output_arguments(
    parser: argparse.ArgumentParser, *, image_ids: str, annotated: tuple[str, str]
) -> None:
    """`image_ids` tells how images are numbered; `annotated` is a metavar and its help."""
    group = parser.add_argument_group("what comes out")
    group.add_argument(
        "--json", action="store_true", help="print each answer in one line of JSON, on stdout"
    )
    group.add_argument(
        "--coco",
        metavar="FILE",
        type=Path,
        help=f"write all poses in COCO's format of results; {image_ids}",
    )
    group.add_argument(
        "--openpose",
        metavar="DIR",
        type=Path,
        help="write a JSON file for each image as OpenPose does, with its 18 keypoints of COCO",
    )
    metavar, told = annotated
    group.add_argument("--annotated", metavar=metavar, type=Path, help=told)


def drawn_keypoint_score(options: argparse.Namespace) -> float:
    """The least score of a keypoint that is drawn: what was asked for, or one that looks well."""
    asked: float | None = options.min_keypoint_score
    return DRAWN_KEYPOINT_SCORE if asked is None else asked


def file_writers(options: argparse.Namespace) -> Iterator[Writer]:
    """For the formats that all commands write."""
    from posewire_cli.output.coco_results import CocoResults
    from posewire_cli.output.openpose_files import OpenPoseFiles

    if options.coco is not None:
        yield CocoResults(options.coco)
    if options.openpose is not None:
        yield OpenPoseFiles(options.openpose)
