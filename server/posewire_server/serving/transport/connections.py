"""Limits on connections, as gRPC's server applies them.

gRPC does not show connections to Python, so none of these limits knows the host of a connection.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass

# Above this, the process's limit on open files does not count.
_MOST = 4096
# gRPC allows two minutes, for TLS and for HTTP/2.
_HANDSHAKE_MILLIS = 10_000
_IDLE_MILLIS = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """`count`: None for three quarters of the files that the process may open, at most 4096.

    `max_age_secs`: when the client of a connection is asked to open another; None for never. gRPC
    varies it by a tenth from connection to connection.
    """

    count: int | None = None
    max_age_secs: float | None = None

    def options(self, *, stream_secs: float | None) -> Iterator[tuple[str, int]]:
        """Yield gRPC's options; `stream_secs` is the longest that a stream lasts, if it is limited.

        Streams stay on an aged connection until they end, since a stream that is cut off loses
        outcomes. So they have as long as the longest one.
        """
        yield "grpc.max_allowed_incoming_connections", self.count or _default_count()
        yield "grpc.server_handshake_timeout_ms", _HANDSHAKE_MILLIS
        yield "grpc.max_connection_idle_ms", _IDLE_MILLIS
        if self.max_age_secs is not None:
            yield "grpc.max_connection_age_ms", _millis(self.max_age_secs)
            if stream_secs is not None:
                yield "grpc.max_connection_age_grace_ms", _millis(stream_secs)


def _default_count() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return _MOST
    return max(1, min(_MOST, 3 * files // 4))


def _millis(secs: float) -> int:
    """Return what gRPC takes, which is an int of C."""
    return min(round(1000 * secs), (1 << 31) - 1)
