"""Both clients over TLS."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from posewire_client import Tls, UnavailableError
from tests.reference.certificates import Identity, make_identity, needs_openssl
from tests.reference.client_ways import Way
from tests.reference.scripted_service import ScriptedService, running

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("identities") / "both")


@pytest.fixture
def target(identity: Identity, service: ScriptedService) -> Iterator[str]:
    """The address of a server that requires that same certificate of its clients."""
    _, certificate = identity.pair
    credentials = grpc.ssl_server_credentials(
        [identity.pair], root_certificates=certificate, require_client_auth=True
    )
    with running(service, credentials=credentials) as server:
        yield server.target


def test_client_and_server_authenticate_each_other(
    way: Way, target: str, identity: Identity
) -> None:
    key, certificate = identity.pair
    tls = Tls(root_certificates=certificate, private_key=key, certificate_chain=certificate)
    assert len(way.call(target, "models", client={"tls": tls})) == 1


def test_an_untrusted_server_is_refused(way: Way, target: str) -> None:
    with pytest.raises(UnavailableError):
        way.call(target, "models", client={"tls": Tls(), "retry_for_secs": 0})


def test_a_private_key_is_not_printed() -> None:
    assert "secret" not in repr(Tls(private_key=b"secret"))
