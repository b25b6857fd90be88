"""Formats stage times."""

from __future__ import annotations

from collections.abc import Iterator

from posewire_client import StageTimes

STAGES = ("image decode", "queue", "letterbox", "inference", "grouping", "total")


def stage_millis(times: StageTimes) -> Iterator[tuple[str, float]]:
    """Yield the name and the milliseconds of each stage that ran."""
    for stage in STAGES:
        secs = getattr(times, f"{stage.replace(' ', '_')}_secs")
        if secs is not None:
            yield stage, 1e3 * secs


def stage_line(times: StageTimes) -> str:
    """Format all stages in one line."""
    return ", ".join(f"{stage} {millis:.1f}" for stage, millis in stage_millis(times)) + " ms"
