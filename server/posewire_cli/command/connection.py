"""Connections to the server that the options name."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass

from posewire_cli.command.credential_options import CredentialOptions
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.command.termination import interrupt_on_sigterm
from posewire_cli.errors import TargetError, UsageError
from posewire_cli.output.error_text import describe_error
from posewire_cli.output.waiting_line import WaitingLine
from posewire_client import Client, Model, PosewireError, UnavailableError

_LOG = logging.getLogger(__name__)

# A mistyped address is reported after this time; later calls have the client's patience.
_FIRST_TIMEOUT_SECS = 5.0
_TIMEOUT_SECS = 30.0
_RETRY_FOR_SECS = 30.0
# For gRPC, which takes no infinite deadline.
_LONGEST_TIMEOUT_SECS = 1e8


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
    own_model = "" if target.server is not None else target.model or ""
    with (
        interrupt_on_sigterm(),
        _start_server(target) as address,
        open_client(
            address,
            own_model=own_model,
            retry_for_secs=target.retry_for,
            credentials=None if own_model else target.credentials,
        ) as client,
    ):
        name = (target.server and target.model) or ""
        model = find_model(client, name, retry_for_secs=target.retry_for)
        _LOG.info("connected to %s: model %s, version %s", address, model.name, model.version)
        yield Connection(client, model)


def find_model(client: Client, name: str, *, retry_for_secs: float | None) -> Model:
    """Make the first call, which waits for the server only if `retry_for_secs` is given."""
    return client.model(name, timeout_secs=_timeout(_FIRST_TIMEOUT_SECS, retry_for_secs))


@contextmanager
def open_client(
    address: str,
    *,
    own_model: str = "",
    retry_for_secs: float | None = None,
    credentials: CredentialOptions | None = None,
) -> Iterator[Client]:
    """Open a client that shows on stderr if it waits.

    `own_model`: the model of a server that this command started; its address says nothing to users.
    Raises `TargetError` for rejected requests and an unreachable server, and `UsageError` for
    credentials that cannot be used.
    """
    with (
        closing(WaitingLine(address)) as line,
        _make_client(
            address,
            credentials,
            timeout_secs=_timeout(_TIMEOUT_SECS, retry_for_secs),
            retry_for_secs=_RETRY_FOR_SECS if retry_for_secs is None else retry_for_secs,
            on_wait=line,
        ) as client,
    ):
        try:
            yield client
        except PosewireError as error:
            raise TargetError(_describe(error, address, own_model)) from error


def _make_client(
    address: str,
    credentials: CredentialOptions | None,
    *,
    timeout_secs: float,
    retry_for_secs: float,
    on_wait: WaitingLine,
) -> Client:
    credentials = credentials or CredentialOptions()
    tls, token = credentials.load_tls(), credentials.load_token()
    if token and tls is None and not credentials.insecure_token:
        raise UsageError("token: would be sent without encryption, want --tls or --insecure-token")
    try:
        return Client(
            address,
            tls=tls,
            token=token,
            allow_token_without_tls=credentials.insecure_token,
            timeout_secs=timeout_secs,
            retry_for_secs=retry_for_secs,
            on_wait=on_wait,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _describe(error: PosewireError, address: str, own_model: str) -> str:
    is_gone = isinstance(error, UnavailableError)
    if own_model:
        gone = f"--model {own_model}: its process does not answer any more; see --verbose"
        return gone if is_gone else describe_error(error)
    hint = "; want a running server, see posewire serve --help" if is_gone else ""
    return f"server {address}: {describe_error(error)}{hint}"


def _timeout(least_secs: float, retry_for_secs: float | None) -> float:
    """Return a timeout that leaves time for all retries."""
    return min(max(least_secs, retry_for_secs or 0.0), _LONGEST_TIMEOUT_SECS)


def _start_server(target: TargetOptions) -> AbstractContextManager[str]:
    if target.server is not None:
        return nullcontext(target.server)
    assert target.model is not None, "checked with the other options"
    # Imported here because a client of another server needs no OpenVINO.
    from posewire_cli.command.own_model import serve_model

    return serve_model(target.model, target.network)
