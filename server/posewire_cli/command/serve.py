"""`posewire serve`: models behind a gRPC address."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from posewire_cli.command.network_arguments import runner_options
from posewire_cli.command.serve_arguments import add_arguments
from posewire_server.errors import InputError

if TYPE_CHECKING:
    from posewire_server.serving.served_model import ServedModel
    from posewire_server.serving.server import ServerOptions


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "serve",
        help="answer requests for poses over gRPC",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Serve models over gRPC until SIGTERM or Ctrl-C.

            One line with the address is printed when the models are ready. On the first
            signal the server takes no more calls and finishes those it has; the second
            ends it at once."""),
        epilog="example: posewire serve --model demo --address 0.0.0.0:50051",
    )
    add_arguments(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from posewire_server.serving.allocator import keep_large_blocks

    keep_large_blocks()  # before anything starts a thread
    from posewire_server.serving.lifecycle import serve

    serve(lambda: _models(options), _server_options(options), ready=_print_ready)
    return 0


def _print_ready(address: str) -> None:
    print(f"posewire serves at {address}", flush=True)


def _models(options: argparse.Namespace) -> list[ServedModel]:
    from posewire_server.models.installed import installed_model
    from posewire_server.serving.served_model import load_models

    installed = [installed_model(each, cache=options.cache) for each in options.model]
    _check_names_differ([each.name for each in installed])
    return load_models(installed, runner_options(options))


def _check_names_differ(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"--model: got {names.count(name)} of the name {name}, by which clients ask for "
                "them; want one, so rename the files of the others"
            )


def _server_options(options: argparse.Namespace) -> ServerOptions:
    from posewire_server.image.limits import ImageLimits
    from posewire_server.serving.server import ServerOptions
    from posewire_server.serving.service import ServiceLimits
    from posewire_server.serving.session import SessionLife

    image = ImageLimits(max_bytes=options.max_image_bytes, max_pixels=options.max_image_pixels)
    life = SessionLife(max_age_secs=options.max_stream_age, drain_secs=options.grace)
    limits = ServiceLimits(
        image=image, waiting=options.queue, streams=options.max_streams, life=life
    )
    return ServerOptions(address=options.address, limits=limits, reflection=options.reflection)
