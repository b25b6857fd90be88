"""Connections to the server that the options name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from posewire_cli.command.target_options import TargetOptions
from posewire_cli.command.termination import interrupt_on_sigterm
from posewire_cli.errors import TargetError
from posewire_client import Client, Model, PosewireError, UnavailableError

# A mistyped address is reported after this time; later calls have the client's patience.
FIRST_TIMEOUT_SECS = 5.0


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, and the model to request from its server."""

    client: Client
    model: Model


@contextmanager
def connect(target: TargetOptions) -> Iterator[Connection]:
    """Connect to the target, starting a server if it names only a model.

    Raises `TargetError` if the server rejects a request or cannot be reached.
    """
    with interrupt_on_sigterm(), _start_server(target) as address, open_client(address) as client:
        name = (target.server and target.model) or ""
        yield Connection(client, client.model(name, timeout_secs=FIRST_TIMEOUT_SECS))


@contextmanager
def open_client(address: str) -> Iterator[Client]:
    """Open a client. Raises `TargetError` for rejected requests and an unreachable server."""
    with Client(address) as client:
        try:
            yield client
        except UnavailableError as error:
            raise TargetError(
                f"server {address}: {error}; want a running server, see posewire serve --help"
            ) from error
        except PosewireError as error:
            raise TargetError(f"server {address}: {error}") from error


def _start_server(target: TargetOptions) -> AbstractContextManager[str]:
    if target.server is not None:
        return nullcontext(target.server)
    assert target.model is not None, "checked with the other options"
    # Imported here because a client of another server needs no OpenVINO.
    from posewire_cli.command.own_model import serve_model

    return serve_model(target.model, target.network)
