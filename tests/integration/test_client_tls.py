"""Both clients over TLS."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from posewire_client import Tls, UnavailableError
from tests.reference.client_ways import Way
from tests.reference.scripted_service import ScriptedService, running

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the command openssl makes the certificates"
)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A private key and its self-signed certificate."""
    folder = tmp_path_factory.mktemp("identity")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return Path(key).read_bytes(), Path(certificate).read_bytes()


@pytest.fixture
def target(identity: tuple[bytes, bytes], service: ScriptedService) -> Iterator[str]:
    """The address of a server that requires that same certificate of its clients."""
    _, certificate = identity
    credentials = grpc.ssl_server_credentials(
        [identity], root_certificates=certificate, require_client_auth=True
    )
    with running(service, credentials=credentials) as server:
        yield server.target


def test_client_and_server_authenticate_each_other(
    way: Way, target: str, identity: tuple[bytes, bytes]
) -> None:
    key, certificate = identity
    tls = Tls(root_certificates=certificate, private_key=key, certificate_chain=certificate)
    assert len(way.call(target, "models", client={"tls": tls})) == 1


def test_an_untrusted_server_is_refused(way: Way, target: str) -> None:
    with pytest.raises(UnavailableError):
        way.call(target, "models", client={"tls": Tls(), "retry_for_secs": 0})


def test_a_private_key_is_not_printed() -> None:
    assert "secret" not in repr(Tls(private_key=b"secret"))
