"""The server's certificates: checked before gRPC uses them, and replaced while it serves."""

from __future__ import annotations

import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, cast

import grpc

from posewire_server.serving.errors import TlsError

_LOG = logging.getLogger(__name__)

_CERTIFICATE = "TLS certificate"
_KEY = "TLS key"
_CLIENT_CA = "TLS client CA"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: a certificate chain, leaf first, and its private key, which is not encrypted.

    With `client_ca`, clients need a certificate signed by one of that file (mTLS).
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        ca = () if self.client_ca is None else (self.client_ca,)
        return (self.certificate, self.key, *ca)


class Certificates:
    """The certificates of these files, for gRPC. Raises `TlsError` if they cannot be used."""

    def __init__(self, files: TlsFiles) -> None:
        self._files = files
        self._initial = _read(files)
        # What `reload` has read and no handshake has used yet; gRPC asks in threads of its own.
        self._lock = threading.Lock()
        self._next: grpc.ServerCertificateConfiguration | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials that use reloaded certificates from the next handshake on."""
        return grpc.dynamic_ssl_server_credentials(
            self._initial,
            # The type stubs do not know that None stands for no change.
            cast(Callable[[], grpc.ServerCertificateConfiguration], self._take_next),
            require_client_authentication=self._files.client_ca is not None,
        )

    def reload(self) -> None:
        """Read the files again. Raises `TlsError`, and keeps the certificates, if it fails."""
        configuration = _read(self._files)
        with self._lock:
            self._next = configuration

    def _take_next(self) -> grpc.ServerCertificateConfiguration | None:
        """Return new certificates once; None stands for no change."""
        with self._lock:
            configuration, self._next = self._next, None
        return configuration


def _read(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
    chain = _read_certificates(_CERTIFICATE, files.certificate)
    key = _read_bytes(_KEY, files.key)
    ca = None if files.client_ca is None else _read_certificates(_CLIENT_CA, files.client_ca)
    _check_validity(_check_pair(files), chain, files.certificate)
    return grpc.ssl_server_certificate_configuration(
        [(key, chain.encode())], None if ca is None else ca.encode()
    )


def _read_bytes(kind: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"{kind} {path}: cannot be read ({error.strerror})") from error


def _read_certificates(kind: str, path: Path) -> str:
    # Comments may be in any encoding; in a certificate, a question mark is a fault.
    text = _read_bytes(kind, path).decode("ascii", "replace").replace("\ufffd", "?")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(f"{kind} {path}: no certificate found, want a PEM file with one") from error
    return text


def _check_pair(files: TlsFiles) -> ssl.SSLContext:
    """Return a context of the certificate and its key. Raises `TlsError` if they do not match."""

    def refuse() -> NoReturn:
        raise TlsError(f"{_KEY} {files.key}: is encrypted, want one without a passphrase")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.certificate, files.key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            fault = f"does not match the certificate {files.certificate}, want the key of that one"
        else:
            fault = "no usable private key found, want a PEM file with one"
        raise TlsError(f"{_KEY} {files.key}: {fault}") from error
    except OSError as error:  # removed since it was read
        raise TlsError(f"{_KEY} {files.key}: cannot be read ({error.strerror})") from error
    return context


def _check_validity(server: ssl.SSLContext, chain: str, path: Path) -> None:
    """Warn of a certificate that clients reject, such as an expired one.

    A client that trusts the chain shakes hands with the server, both in memory: Python's `ssl` has
    no other public way to read a certificate's dates.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=chain)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    try:
        _shake_hands(here, there)
    except ssl.SSLCertVerificationError as error:
        _LOG.warning("%s %s: clients reject it: %s", _CERTIFICATE, path, error.verify_message)
    except ssl.SSLError as error:
        _LOG.warning("%s %s: clients reject it: %s", _CERTIFICATE, path, error.reason)
    else:
        certificate = here.getpeercert() or {}
        _LOG.info("%s %s: valid until %s", _CERTIFICATE, path, certificate.get("notAfter"))


def _shake_hands(client: ssl.SSLObject, server: ssl.SSLObject) -> None:
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
