"""What `posewire serve` can be told."""

from __future__ import annotations

import argparse

from posewire_cli.command.argument_types import count, seconds
from posewire_cli.command.network_arguments import add_network_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_server(parser)
    add_network_arguments(parser)
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
        "--reflection",
        action="store_true",
        help="let tools such as grpcurl ask for the contract",
    )
    group.add_argument(
        "--grace",
        metavar="SECONDS",
        type=seconds,
        default=20.0,
        help="how long calls have to end once the server shuts down, or a stream its maximum age "
        "(default: 20)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what clients can have")
    group.add_argument(
        "--queue",
        metavar="N",
        type=count,
        default=64,
        help="images that may wait for a model (default: 64)",
    )
    group.add_argument(
        "--max-streams", metavar="N", type=count, default=64, help="at a time (default: 64)"
    )
    group.add_argument(
        "--max-stream-age",
        metavar="SECONDS",
        type=seconds,
        help="drain a stream after this time, so that its client opens another one, perhaps on "
        "another server (default: never)",
    )
    group.add_argument(
        "--max-image-bytes",
        metavar="N",
        type=count,
        default=32 << 20,
        help="as sent (default: 33554432)",
    )
    group.add_argument(
        "--max-image-pixels",
        metavar="N",
        type=count,
        default=1 << 25,
        help="width times height (default: 33554432)",
    )
