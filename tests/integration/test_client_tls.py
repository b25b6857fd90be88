"""Both clients over TLS."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from posewire_client import Client, Tls, UnavailableError
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


class KeepsTokens(ScriptedService):
    """A service that keeps the authorization of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, object]] = []

    def keep(self, call: str, context: grpc.ServicerContext) -> None:
        self.seen += [
            (call, value) for key, value in context.invocation_metadata() if key == "authorization"
        ]

    def ListModels(self, request: object, context: grpc.ServicerContext) -> object:
        self.keep("ListModels", context)
        return super().ListModels(request, context)

    def StreamPoses(self, requests: object, context: grpc.ServicerContext) -> object:
        self.keep("StreamPoses", context)
        return super().StreamPoses(requests, context)


def test_a_token_is_sent_with_every_call_over_tls(way: Way, identity: Identity) -> None:
    service = KeepsTokens()
    credentials = grpc.ssl_server_credentials([identity.pair])
    settings = {"tls": Tls(root_certificates=identity.pair[1]), "token": "s3cret"}
    with running(service, credentials=credentials) as server:
        way.call(server.target, "models", client=settings)
        way.stream(server.target, [np.zeros((6, 8, 3), np.uint8)], client=settings)
    assert service.seen == [("ListModels", "Bearer s3cret"), ("StreamPoses", "Bearer s3cret")]


def test_a_token_is_sent_in_clear_text_only_where_that_is_allowed(way: Way) -> None:
    service = KeepsTokens()
    with running(service) as server:
        with pytest.raises(ValueError, match="without encryption") as caught:
            way.call(server.target, "models", client={"token": "s3cret"})
        assert "s3cret" not in str(caught.value)
        assert service.seen == []
        allowed = {"token": "s3cret", "allow_token_without_tls": True}
        way.call(server.target, "models", client=allowed)
    assert service.seen == [("ListModels", "Bearer s3cret")]


@pytest.mark.parametrize("token", ["", "s3 cret", "s3cret\n", "s3crét"])
def test_a_token_of_other_characters_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="token: got none or one with other") as caught:
        Client("localhost:1", tls=Tls(), token=token)
    assert "s3" not in str(caught.value)


def test_a_token_beside_a_channel_is_refused() -> None:
    with (
        grpc.insecure_channel("localhost:1") as channel,
        pytest.raises(ValueError, match="token: not with a channel"),
    ):
        Client(channel=channel, token="s3cret")
