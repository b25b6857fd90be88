"""What a server is asked to look for, as arguments."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from posewire_cli.command.argument_types import count, region, score

if TYPE_CHECKING:
    from posewire_client import EstimateOptions


def add_estimate_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is looked for (default: as the model has it)")
    group.add_argument("--max-poses", metavar="N", type=count, help="only the N best poses")
    group.add_argument(
        "--min-pose-score", metavar="SCORE", type=score, help="no poses below this, from 0 to 1"
    )
    group.add_argument(
        "--min-keypoint-score",
        metavar="SCORE",
        type=score,
        help="no keypoints below this, from 0 to 1",
    )
    group.add_argument(
        "--region",
        metavar="X0,Y0,X1,Y1",
        type=region,
        help="only this part of the image, in its pixels",
    )
    group.add_argument(
        "--no-refine",
        action="store_true",
        help="leave keypoints out that have no peak of their own in the network's output",
    )


def estimate_options(options: argparse.Namespace) -> EstimateOptions:
    """What the parsed arguments say."""
    from posewire_client import Box, EstimateOptions

    return EstimateOptions(
        max_poses=options.max_poses,
        min_pose_score=options.min_pose_score,
        min_keypoint_score=options.min_keypoint_score,
        region_of_interest=None if options.region is None else Box(*options.region),
        refine=False if options.no_refine else None,
    )
