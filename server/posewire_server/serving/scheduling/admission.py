"""Admission by deadline: whether the image of a unary call can have its turn in time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from time import monotonic
from typing import Protocol

from posewire_server.serving.errors import DeadlineTooShortError

# The part of the mean time of a network run that every run surely takes.
_CERTAIN = 0.5


class DueFrame(Protocol):
    """A frame that is dropped at `due_at`, a time of `monotonic`; None for never.

    `network_runs`: how often the network runs for it.
    """

    @property
    def due_at(self) -> float | None: ...

    @property
    def network_runs(self) -> int: ...


def check_deadline(
    due_at: float | None,
    ahead: Collection[DueFrame],
    *,
    run_secs: float,
    clock: Callable[[], float] = monotonic,
) -> None:
    """Raise `DeadlineTooShortError` for an image whose turn surely comes after its deadline.

    `ahead`: frames of the same caller that wait, in the order of their turns. Those of others are
    not counted, because they may leave. `run_secs`: the mean time of a network run, 0 if unknown.
    """
    if due_at is None or not ahead:
        return
    now = clock()
    least_secs = _CERTAIN * run_secs
    turn_at = now + sum(frame.network_runs for frame in ahead) * least_secs
    if turn_at <= due_at:
        return
    turn_at = now
    for frame in ahead:
        if frame.due_at is None or frame.due_at > turn_at:
            turn_at += frame.network_runs * least_secs
    if turn_at > due_at:
        raise DeadlineTooShortError(wait_secs=turn_at - now, remaining_secs=due_at - now)
