"""TLS settings of a client."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates and key, each as the bytes of a PEM file.

    Without `root_certificates`, gRPC uses its default roots. `private_key` and
    `certificate_chain` identify the client to servers that require it (mTLS).
    """

    root_certificates: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)
    certificate_chain: bytes | None = None
