"""A serving process with TLS, whose files are replaced."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
import pytest

from posewire.v1 import pose_service_pb2 as messages
from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from tests.reference.certificates import Identity, make_identity, needs_openssl
from tests.reference.stub_process import StubProcess, stub_process
from tests.reference.waiting import wait_until

pytestmark = needs_openssl

TIMEOUT = 60


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return make_identity(tmp_path / "first")


def serve(identity: Identity, *more: str) -> AbstractContextManager[StubProcess]:
    return stub_process(
        "--tls-cert", str(identity.certificate), "--tls-key", str(identity.key), *more
    )


def served_certificate(address: str) -> str:
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)), timeout=TIMEOUT)


def list_models(address: str, credentials: grpc.ChannelCredentials) -> int:
    with grpc.secure_channel(address, credentials) as channel:
        request = messages.ListModelsRequest()
        return len(PoseServiceStub(channel).ListModels(request, timeout=TIMEOUT).models)


def test_certificates_are_replaced_while_streams_go_on(identity: Identity, tmp_path: Path) -> None:
    first = identity.certificate.read_text()
    second = make_identity(tmp_path / "second")

    def requests() -> Iterator[messages.StreamPosesRequest]:
        yield messages.StreamPosesRequest(config=stream_pb2.StreamConfig())
        wait_until(lambda: is_replaced)

    is_replaced = False
    with serve(identity) as process:
        address = process.line()
        credentials = grpc.ssl_channel_credentials(first.encode())
        with grpc.secure_channel(address, credentials) as channel:
            stream = PoseServiceStub(channel).StreamPoses(requests(), timeout=TIMEOUT)
            assert next(stream).HasField("started")
            assert served_certificate(address) == first
            identity.replace(second)
            wait_until(lambda: served_certificate(address) == second.certificate.read_text())
            is_replaced = True
            assert list(stream) == []  # the stream ends with OK
        assert list_models(address, grpc.ssl_channel_credentials(second.pair[1])) == 1
        process.signal(signal.SIGTERM)
        # It may have found the new certificate beside the old key, and logged that.
        assert process.end()[0] == 0


def test_a_broken_certificate_leaves_the_old_one_in_use(identity: Identity) -> None:
    good = identity.certificate.read_text()
    with serve(identity) as process:
        address = process.line()
        identity.certificate.write_text("broken")
        assert f"TLS certificate {identity.certificate}: no certificate found" in process.error()
        assert served_certificate(address) == good
        process.signal(signal.SIGHUP)
        assert "not reloaded, the old one stays in use" in process.error()
        assert served_certificate(address) == good
        process.signal(signal.SIGTERM)
        assert process.end()[0] == 0


def test_a_client_without_a_certificate_of_the_authority_is_refused(
    identity: Identity, tmp_path: Path
) -> None:
    authority = make_identity(tmp_path / "authority", name="client")
    stranger = make_identity(tmp_path / "stranger", name="client")
    roots = identity.pair[1]
    with serve(identity, "--tls-client-ca", str(authority.certificate)) as process:
        address = process.line()
        for pair in ((None, None), stranger.pair):
            with pytest.raises(grpc.RpcError) as caught:
                list_models(address, grpc.ssl_channel_credentials(roots, *pair))
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert list_models(address, grpc.ssl_channel_credentials(roots, *authority.pair)) == 1
