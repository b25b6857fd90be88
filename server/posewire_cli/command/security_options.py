"""Options of `posewire serve` that encrypt connections and identify callers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cyclopts import Group, Parameter

from posewire_cli.errors import UsageError
from posewire_server.serving.transport.tls import TlsFiles


@Parameter(name="*", group=Group("Security", sort_key=3))
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityOptions:
    tls_cert: Path | None = None
    """PEM file with the server's certificate chain; requires --tls-key (default: no TLS)."""

    tls_key: Path | None = None
    """PEM file with the private key of --tls-cert, not encrypted."""

    tls_client_ca: Path | None = None
    """PEM file of certificate authorities; clients need a certificate signed by one (mTLS)."""

    tokens: Path | None = None
    """TOML file of the callers' tokens and quotas (default: calls need no token)."""

    insecure_tokens: bool = False
    """Allow --tokens without TLS on an address that other machines can reach."""

    resume_key_file: Path | None = None
    """Key of 32 or more random bytes, shared by replicas to keep track ids (default: random)."""

    def tls_files(self) -> TlsFiles | None:
        """Return the files for TLS, or None without TLS. Raises `UsageError` if one is missing."""
        if self.tls_cert is None and self.tls_key is None:
            if self.tls_client_ca is not None:
                raise UsageError("--tls-client-ca: only with --tls-cert and --tls-key")
            return None
        if self.tls_cert is None or self.tls_key is None:
            raise UsageError("--tls-cert, --tls-key: got only one of them, want both")
        return TlsFiles(certificate=self.tls_cert, key=self.tls_key, client_ca=self.tls_client_ca)
