"""A client of the server that the arguments name, or of one that is started for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from posewire_cli.command.network_arguments import runner_options
from posewire_cli.command.termination import terminating_cleanly
from posewire_cli.errors import TargetError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from posewire_client import Client, Model


@dataclass(frozen=True, slots=True)
class Connection:
    """`client` asks the server at `address` for `model`."""

    client: Client
    model: Model
    address: str


@contextmanager
def connected(options: argparse.Namespace) -> Iterator[Connection]:
    """As long as the block lasts. Raises `TargetError` for what the server says no to."""
    with terminating_cleanly(), _address(options) as address, asking(address) as client:
        model = client.model("" if options.server is None else options.model or "")
        yield Connection(client, model, address)


@contextmanager
def asking(address: str) -> Iterator[Client]:
    """A client of that server. Raises `TargetError` for what the server says no to."""
    from posewire_client import Client, PosewireError, UnavailableError
    from posewire_server.serving.allocator import keep_large_blocks

    keep_large_blocks()  # before anything starts a thread
    with Client(address) as client:
        try:
            yield client
        except UnavailableError as error:
            raise TargetError(
                f"server {address}: {error}; want one that serves, such as posewire serve starts"
            ) from error
        except PosewireError as error:
            raise TargetError(f"server {address}: {error}") from error


def _address(options: argparse.Namespace) -> AbstractContextManager[str]:
    if options.server is not None:
        return nullcontext(options.server)
    from posewire_cli.own_server import own_server
    from posewire_server.models.installed import installed_model
    from posewire_server.serving.served_model import load_models

    model = installed_model(options.model, cache=options.cache)
    return own_server(partial(load_models, [model], runner_options(options)))
