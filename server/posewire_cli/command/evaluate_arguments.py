"""What `posewire eval` can be told."""

from __future__ import annotations

import argparse
from pathlib import Path

from posewire_cli.command.argument_types import count
from posewire_cli.command.network_arguments import NETWORK_ARGUMENTS
from posewire_cli.command.target_arguments import add_target_arguments, check_target

# What says how this program runs a model, in the names of the parsed options.
_OWN_RUN = ("decoding", "fit", "size", *NETWORK_ARGUMENTS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    add_target_arguments(parser)
    _add_model(parser)
    _add_output(parser)


def check_arguments(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> argparse.Namespace:
    """Ends the program where options are missing or do not go together."""
    return check_target(parser, options, own_run=_OWN_RUN)


def _add_data(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("what is evaluated")
    data.add_argument("--images", metavar="DIR", type=Path, required=True)
    data.add_argument(
        "--annotations",
        metavar="FILE",
        type=Path,
        required=True,
        help="JSON of COCO's keypoint task (person_keypoints_*.json)",
    )
    data.add_argument(
        "--limit", metavar="N", type=count, help="only the first N images of the annotation file"
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    run = parser.add_argument_group("how the model is run")
    run.add_argument(
        "--decoding",
        choices=("default", "reference"),
        default="default",
        help="reference: resize and decode as Open Model Zoo's accuracy checker, which measured "
        "the published AP; only the way back to the image is exact here, not approximate as there",
    )
    run.add_argument(
        "--fit",
        choices=("short_side", "inside"),
        help="the side of the image that gets --size pixels, the short one or (inside a square) "
        "the long one (default: the model's)",
    )
    run.add_argument(
        "--size", metavar="N", type=count, help="pixels of that side (default: the model's)"
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    output = parser.add_argument_group("what comes out")
    output.add_argument(
        "--json", action="store_true", help="the figures as JSON, from 0 to 1 instead of percent"
    )
    output.add_argument(
        "--results",
        metavar="FILE",
        type=Path,
        help="write all poses in COCO's format of results; while the run lasts they are kept in "
        "FILE.journal",
    )
