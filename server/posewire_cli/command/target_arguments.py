"""Who answers: a server that runs already, or a model for which one is started."""

from __future__ import annotations

import argparse

from posewire_cli.command.network_arguments import NETWORK_ARGUMENTS, add_network_arguments


def add_target_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who answers")
    group.add_argument(
        "--model",
        metavar="NAME_OR_PATH",
        help="as `posewire models list` shows it, or a network's .xml or .onnx file; with "
        "--server, one of the server's models (default: the server's default)",
    )
    group.add_argument(
        "--server",
        metavar="HOST:PORT",
        help="ask this server, which runs its models as it was told to",
    )
    add_network_arguments(parser)


def check_target(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    *,
    own_run: tuple[str, ...] = NETWORK_ARGUMENTS,
) -> argparse.Namespace:
    """Ends the program where options are missing or do not go together.

    `own_run`: the options that say how this program runs a model, as they are called when parsed.
    """
    if options.server is None:
        if options.model is None:
            parser.error("one of --model and --server is required")
        return options
    own = [name for name in own_run if getattr(options, name) != parser.get_default(name)]
    if own:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in own)
        parser.error(f"{named}: not with --server, which decides that for itself")
    return options
