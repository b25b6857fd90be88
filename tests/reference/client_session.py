"""Drives a client's session as a transport would, without I/O."""

from __future__ import annotations

from typing import Any

from posewire_client import Delivery, Outcome
from posewire_client.backoff import Backoff
from posewire_client.request import frame_request, stream_config
from posewire_client.session import StreamSession
from tests.reference.fake_clock import FakeClock
from tests.reference.scripted_service import started


def session_of(
    *,
    delivery: Delivery = Delivery.LOSSLESS,
    window: int | None = None,
    retry_for_secs: float | None = 30.0,
    timeout_secs: float = 30.0,
    clock: FakeClock | None = None,
) -> StreamSession:
    clock = clock or FakeClock()
    config = stream_config(
        model="",
        options=None,
        delivery=delivery,
        window=window,
        max_frame_age_secs=None,
        track=False,
        smoothing=False,
    )
    backoff = Backoff(retry_for_secs, draw=lambda: 1.0, clock=clock)
    return StreamSession(config, backoff, timeout_secs=timeout_secs, clock=clock)


def put(session: StreamSession, count: int) -> None:
    for _ in range(count):
        session.put(frame_request(b"image"))


def sent(session: StreamSession) -> list[Any]:
    """Everything that can be sent now."""
    return list(iter(session.next_request, None))


def ids(requests: list[Any]) -> list[int]:
    return [request.frame.frame_id for request in requests]


def opened(session: StreamSession, *, window: int = 4) -> int:
    number = session.open_call()
    session.receive(started(window=window))
    return number


def taken(session: StreamSession) -> list[Outcome]:
    return list(iter(session.take, None))
