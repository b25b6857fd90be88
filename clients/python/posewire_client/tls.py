"""How to trust the server and to be trusted by it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Certificates and the key as the bytes of PEM files.

    Without `root_certificates` those of the gRPC library hold. `private_key` and
    `certificate_chain` are the client's own, for servers that ask for them.
    """

    root_certificates: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)
    certificate_chain: bytes | None = None
