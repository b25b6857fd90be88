from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from posewire_server.serving.errors import TlsError
from posewire_server.serving.transport.tls import Certificates, TlsFiles
from tests.reference.certificates import Identity, encrypt_key, make_identity, needs_openssl

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return make_identity(tmp_path_factory.mktemp("identities") / "one")


@pytest.fixture
def files(identity: Identity) -> TlsFiles:
    return TlsFiles(certificate=identity.certificate, key=identity.key)


def test_a_valid_pair_is_accepted_without_a_warning(
    files: TlsFiles, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        Certificates(replace(files, client_ca=files.certificate))
    (record,) = caplog.records
    assert (record.levelname, "valid until" in record.getMessage()) == ("INFO", True)


def test_a_missing_file_is_named(files: TlsFiles, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    for kind, wrong in [
        ("certificate", replace(files, certificate=missing)),
        ("key", replace(files, key=missing)),
        ("client CA", replace(files, client_ca=missing)),
    ]:
        with pytest.raises(TlsError, match=rf"^TLS {kind} {missing}: .*No such file"):
            Certificates(wrong)


def test_a_file_that_is_something_else_is_named(files: TlsFiles, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(b"\xff not PEM")
    for kind, wrong in [
        ("certificate", replace(files, certificate=other)),
        ("key", replace(files, key=other)),
        ("client CA", replace(files, client_ca=other)),
    ]:
        with pytest.raises(TlsError, match=rf"^TLS {kind} {other}: no .*want a PEM file"):
            Certificates(wrong)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_comments_of_a_pem_file_may_be_in_any_language(
    files: TlsFiles, tmp_path: Path, encoding: str
) -> None:
    commented = tmp_path / "commented.pem"
    comment = "# Autorité de Zürich\n".encode(encoding)
    commented.write_bytes(comment + files.certificate.read_bytes() + comment)
    Certificates(replace(files, certificate=commented, client_ca=commented))


def test_a_damaged_certificate_behind_a_sound_one_is_refused(
    files: TlsFiles, tmp_path: Path
) -> None:
    chain = tmp_path / "chain.pem"
    sound = files.certificate.read_bytes()
    for damaged in (sound[: len(sound) // 2], sound.replace(b"M", b"\xc3", 1)):
        chain.write_bytes(sound + damaged)
        with pytest.raises(TlsError, match=f"^TLS certificate {chain}: "):
            Certificates(replace(files, certificate=chain))


def test_a_key_of_another_certificate_is_refused(files: TlsFiles, tmp_path: Path) -> None:
    key = make_identity(tmp_path / "other").key
    with pytest.raises(TlsError, match=f"{key}: does not match .*{files.certificate}"):
        Certificates(replace(files, key=key))


def test_an_encrypted_key_is_refused_without_asking(files: TlsFiles, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    encrypt_key(files.key, key)
    with pytest.raises(TlsError, match=f"{key}: is encrypted"):
        Certificates(replace(files, key=key))


def test_an_expired_certificate_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = make_identity(tmp_path / "old", has_expired=True)
    Certificates(TlsFiles(certificate=old.certificate, key=old.key))
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert f"{old.certificate}: clients reject it: certificate has expired" in caplog.text
