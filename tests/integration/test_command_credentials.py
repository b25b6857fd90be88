"""Commands that use a server with TLS, client certificates and tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from posewire_cli.command import main
from posewire_server.sample import STILL
from tests.reference.certificates import Identity, make_identity, needs_openssl
from tests.reference.stub_process import stub_process

pytestmark = needs_openssl

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """The server's, and also the client's."""
    return make_identity(tmp_path_factory.mktemp("identities") / "both")


@pytest.fixture(scope="module")
def address(identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens.toml"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens.write_text(f'[[tokens]]\nname = "camera"\nsha256 = "{digest}"\n')
    files = ["--tls-cert", str(identity.certificate), "--tls-key", str(identity.key)]
    files += ["--tls-client-ca", str(identity.certificate), "--tokens", str(tokens)]
    with stub_process(*files) as process:
        yield process.line()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


def predict(address: str, *options: str) -> int:
    return main(["predict", "--server", address, *options, str(STILL)])


def credentials(identity: Identity) -> list[str]:
    certificate = str(identity.certificate)
    return ["--tls-ca", certificate, "--tls-cert", certificate, "--tls-key", str(identity.key)]


def test_certificates_and_token_are_sent(
    address: str, identity: Identity, token_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(address, *credentials(identity), "--token-file", str(token_file)) == 0
    out, err = capsys.readouterr()
    assert ("3 people" in out, err) == (True, "")


def test_the_token_may_be_in_the_environment(
    address: str,
    identity: Identity,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("POSEWIRE_TOKEN", TOKEN)
    assert predict(address, *credentials(identity)) == 0
    monkeypatch.setenv("POSEWIRE_TOKEN", "wrong")
    assert predict(address, *credentials(identity)) == 1
    err = capsys.readouterr().err
    assert f"server {address}: UNAUTHENTICATED (TOKEN_UNKNOWN): token: got one" in err


def test_what_is_missing_is_named(
    address: str, identity: Identity, token_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, fault in [
        (["--tls-cert", "c"], "got only one of them, want both"),
        (["--tls-ca", "no-such.pem"], "--tls-ca no-such.pem: cannot be read (No such file"),
        (["--token-file", str(token_file)], "token: would be sent without encryption, want --tls"),
        (["--tls", "--token-file", "/dev/null"], "token: got none or one with other characters"),
    ]:
        assert predict(address, *options) == 2
        assert fault in capsys.readouterr().err
    assert main(["predict", "--model", "demo", "--tls", str(STILL)]) == 2
    assert "--tls: only with --server" in capsys.readouterr().err
