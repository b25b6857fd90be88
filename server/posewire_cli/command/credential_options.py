"""Options for the connection to a running server: TLS and the token."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Group, Parameter

from posewire_cli.errors import UsageError
from posewire_client import Tls

_TOKEN = "POSEWIRE_TOKEN"
# A token is a line of text; this also ends the reading of a device.
_MAX_TOKEN_BYTES = 4096


@Parameter(name="*", group=Group("Connection", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialOptions:
    tls: bool = False
    """Encrypt the connection to --server, trusting gRPC's certificate authorities."""

    tls_ca: Path | None = None
    """PEM file of the certificate authorities to trust instead; implies --tls."""

    tls_cert: Path | None = None
    """PEM file with this client's certificate chain, for mTLS; implies --tls."""

    tls_key: Path | None = None
    """PEM file with the private key of --tls-cert."""

    token_file: Path | None = None
    """File with the token to send (default: $POSEWIRE_TOKEN)."""

    insecure_token: bool = False
    """Allow sending a token without TLS, for example to a server on this machine."""

    def load_tls(self) -> Tls | None:
        """Read the certificates. Raises `UsageError` if one is missing or cannot be read."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UsageError("--tls-cert, --tls-key: got only one of them, want both")
        if not (self.tls or self.tls_ca or self.tls_cert):
            return None
        return Tls(
            root_certificates=_read("--tls-ca", self.tls_ca),
            certificate_chain=_read("--tls-cert", self.tls_cert),
            private_key=_read("--tls-key", self.tls_key),
        )

    def load_token(self) -> str | None:
        """Return the token, if there is one. Raises `UsageError` if its file cannot be read."""
        content = _read("--token-file", self.token_file, most=_MAX_TOKEN_BYTES)
        if content is None:
            return os.environ.get(_TOKEN) or None
        return content.decode("ascii", errors="replace").strip()


def _read(option: str, path: Path | None, *, most: int = 1 << 20) -> bytes | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise UsageError(f"{option} {path}: cannot be read ({error.strerror})") from error
