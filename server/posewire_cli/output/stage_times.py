"""Stage times as text."""

from __future__ import annotations

from collections.abc import Iterator

from posewire_client import StageTimes

STAGES = ("image decode", "queue", "letterbox", "inference", "grouping", "total")


def stage_millis(times: StageTimes) -> Iterator[tuple[str, float]]:
    """Each stage that ran, and its milliseconds."""
    for stage in STAGES:
        secs = getattr(times, f"{stage.replace(' ', '_')}_secs")
        if secs is not None:
            yield stage, 1e3 * secs


def stage_line(times: StageTimes) -> str:
    """All stages in one line, in milliseconds."""
    return ", ".join(f"{stage} {millis:.1f}" for stage, millis in stage_millis(times)) + " ms"
