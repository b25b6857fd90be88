"""How OpenVINO runs a network, as arguments of the commands that run one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from posewire_cli.command.argument_types import count

if TYPE_CHECKING:
    from posewire_server.estimation.runner import RunnerOptions

# As the parsed options call them.
NETWORK_ARGUMENTS = (
    "cache",
    "device",
    "performance",
    "inference_precision",
    "threads",
    "streams",
    "compiled_cache",
)


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how OpenVINO runs a network")
    group.add_argument(
        "--cache", metavar="DIR", type=Path, help="where models lie (default: the user's cache)"
    )
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
        type=count,
        default=0,
        help="processor threads for each network (default: OpenVINO's choice, within the "
        "container's CPU quota)",
    )
    group.add_argument(
        "--streams",
        metavar="N",
        type=count,
        default=0,
        help="images that share the processor (default: as --performance wants it)",
    )
    group.add_argument(
        "--compiled-cache",
        metavar="DIR",
        type=Path,
        help="keep compiled networks here, so that the next start is quicker (default: nowhere)",
    )


def runner_options(options: argparse.Namespace) -> RunnerOptions:
    """What the parsed arguments say."""
    from posewire_server.estimation.runner import RunnerOptions

    return RunnerOptions(
        device=options.device,
        performance_hint=options.performance.upper(),
        inference_precision_hint=options.inference_precision,
        inference_num_threads=options.threads,
        num_streams=options.streams,
        cache_dir=options.compiled_cache,
    )
