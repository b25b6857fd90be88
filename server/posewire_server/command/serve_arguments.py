"""What `posewire serve` can be told."""

from __future__ import annotations

import argparse
import math
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_server(parser)
    _add_network(parser)
    _add_limits(parser)


def _add_server(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is served where")
    group.add_argument(
        "--model",
        metavar="NAME_OR_PATH",
        action="append",
        required=True,
        help="as `posewire models list` shows it, or a network's .xml or .onnx file; may be given "
        "several times, and the first is the default",
    )
    group.add_argument(
        "--address",
        metavar="HOST:PORT",
        default="127.0.0.1:50051",
        help="where to listen; port 0 is any that is free (default: 127.0.0.1:50051)",
    )
    group.add_argument(
        "--cache", metavar="DIR", type=Path, help="where models lie (default: the user's cache)"
    )
    group.add_argument(
        "--reflection",
        action="store_true",
        help="let tools such as grpcurl ask for the contract",
    )
    group.add_argument(
        "--grace",
        metavar="SECONDS",
        type=_seconds,
        default=20.0,
        help="how long calls have to end once the server shuts down, or a stream its maximum age "
        "(default: 20)",
    )


def _add_network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how OpenVINO runs the networks")
    group.add_argument(
        "--device",
        metavar="NAME",
        default="CPU",
        help="OpenVINO's name of it, such as CPU, GPU, NPU or AUTO (default: CPU)",
    )
    group.add_argument(
        "--performance",
        choices=("latency", "throughput"),
        default="latency",
        help="finish each image soon, or many in a second (default: latency)",
    )
    group.add_argument(
        "--inference-precision",
        choices=("f32", "bf16", "f16"),
        default="f32",
        help="the arithmetic that OpenVINO may use (default: f32)",
    )
    group.add_argument(
        "--threads",
        metavar="N",
        type=_count,
        default=0,
        help="processor threads for each network (default: OpenVINO's choice, within the "
        "container's CPU quota)",
    )
    group.add_argument(
        "--streams",
        metavar="N",
        type=_count,
        default=0,
        help="images that share the processor (default: as --performance wants it)",
    )
    group.add_argument(
        "--compiled-cache",
        metavar="DIR",
        type=Path,
        help="keep compiled networks here, so that the next start is quicker (default: nowhere)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what clients can have")
    group.add_argument(
        "--queue",
        metavar="N",
        type=_count,
        default=64,
        help="images that may wait for a model (default: 64)",
    )
    group.add_argument(
        "--max-streams", metavar="N", type=_count, default=64, help="at a time (default: 64)"
    )
    group.add_argument(
        "--max-stream-age",
        metavar="SECONDS",
        type=_seconds,
        help="drain a stream after this time, so that its client opens another one, perhaps on "
        "another server (default: never)",
    )
    group.add_argument(
        "--max-image-bytes",
        metavar="N",
        type=_count,
        default=32 << 20,
        help="as sent (default: 33554432)",
    )
    group.add_argument(
        "--max-image-pixels",
        metavar="N",
        type=_count,
        default=1 << 25,
        help="width times height (default: 33554432)",
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 1 << 30:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a whole number from 1 to {2**30 - 1}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a number of seconds above 0")
    return value
