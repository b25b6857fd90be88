"""What `posewire eval` can be told."""

from __future__ import annotations

import argparse
from pathlib import Path

# What says how this program runs a model, in the names of the parsed options.
_OWN_RUN = ("cache", "decoding", "fit", "size", "device", "inference_precision", "threads")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    _add_model(parser)
    _add_output(parser)


def check_arguments(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> argparse.Namespace:
    """Ends the program where options are missing or do not go together."""
    if options.server is None:
        if options.model is None:
            parser.error("one of --model and --server is required")
        return options
    own = [name for name in _OWN_RUN if getattr(options, name) != parser.get_default(name)]
    if own:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in own)
        parser.error(f"{named}: not with --server, which decides that for itself")
    return options


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
        "--model",
        metavar="NAME_OR_PATH",
        help="as `posewire models list` shows it, or a network's .xml or .onnx file; with "
        "--server, one of the server's models (default: the server's default)",
    )
    data.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="ask this server, which runs the model as it was told to",
    )
    data.add_argument(
        "--cache", metavar="DIR", type=Path, help="where models lie (default: the user's cache)"
    )
    data.add_argument(
        "--limit", metavar="N", type=_count, help="only the first N images of the annotation file"
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
        "--size", metavar="N", type=_count, help="pixels of that side (default: the model's)"
    )
    run.add_argument(
        "--device", metavar="NAME", default="CPU", help="OpenVINO's name of it (default: CPU)"
    )
    run.add_argument(
        "--inference-precision",
        choices=("f32", "bf16", "f16"),
        default="f32",
        help="the arithmetic that OpenVINO may use (default: f32)",
    )
    run.add_argument(
        "--threads",
        metavar="N",
        type=_count,
        default=0,
        help="processor threads for the network (default: OpenVINO's choice)",
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


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a whole number of at least 1")
    return value
