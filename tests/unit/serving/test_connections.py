from __future__ import annotations

import resource

import pytest

from posewire_server.serving.streams.session import SessionLife
from posewire_server.serving.transport.connections import ConnectionLimits


def options(
    stream_secs: float | None = None, *, count: int | None = None, max_age_secs: float | None = None
) -> dict[str, int]:
    limits = ConnectionLimits(count=count, max_age_secs=max_age_secs)
    return dict(limits.options(stream_secs=stream_secs))


@pytest.mark.parametrize(
    ("files", "expected"),
    [(1024, 768), (1 << 20, 4096), (1, 1), (resource.RLIM_INFINITY, 4096)],
)
def test_by_default_files_remain_for_other_uses(
    files: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert options()["grpc.max_allowed_incoming_connections"] == expected
    assert options(count=5)["grpc.max_allowed_incoming_connections"] == 5


def test_streams_have_the_time_they_need_on_an_aged_connection() -> None:
    assert "grpc.max_connection_age_ms" not in options(60)
    aged = options(SessionLife().longest_secs, max_age_secs=1.5)
    assert aged["grpc.max_connection_age_ms"] == 1500
    assert "grpc.max_connection_age_grace_ms" not in aged  # streams have no maximum age
    life = SessionLife(config_secs=1, max_age_secs=100, drain_secs=20, close_secs=2)
    aged = options(life.longest_secs, max_age_secs=1.5)
    assert aged["grpc.max_connection_age_grace_ms"] == 143_000
    assert options(1e9, max_age_secs=1e9)["grpc.max_connection_age_ms"] == (1 << 31) - 1
