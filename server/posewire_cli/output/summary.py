"""Totals and timings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.columns import format_columns
from posewire_cli.output.error_text import describe_error
from posewire_cli.output.stage_times import STAGES, stage_millis
from posewire_client import FrameFailure, Origin, Result, Skipped

PERCENTILES = (50, 90, 95, 99)


class Summary:
    """Counts outcomes and people, and collects stage times if asked, from its creation on."""

    def __init__(self, *, timings: bool = False) -> None:
        self._timings = timings
        self.counts = {Result: 0, Skipped: 0, FrameFailure: 0}
        self._people: list[int] = []
        self._keypoints = 0
        self._tracks: set[int] = set()
        self._millis: dict[str, list[float]] = defaultdict(list)
        self._first_failure = ""
        self._began = perf_counter()

    def write(self, image: AnsweredImage) -> None:
        outcome = image.outcome
        self.counts[type(outcome)] += 1
        if isinstance(outcome, FrameFailure) and not self._first_failure:
            self._first_failure = f"{image.name}: {describe_error(outcome.error, image='')}"
        if isinstance(outcome, Result):
            self._people.append(len(outcome.poses))
            self._keypoints += int((outcome.origins != Origin.ABSENT).sum())
            self._tracks.update(p.track_id for p in outcome.poses if p.track_id is not None)
            if self._timings:
                for stage, millis in stage_millis(outcome.stage_times):
                    self._millis[stage].append(millis)

    def close(self) -> None:
        pass

    def lines(self) -> Iterator[str]:
        """Format the summary as text."""
        secs = perf_counter() - self._began
        total = sum(self.counts.values())
        answered, skipped, failed = (self.counts[each] for each in (Result, Skipped, FrameFailure))
        yield (
            f"{total} frames in {secs:.1f} s ({total / secs:.1f} frames/s): {answered} answered, "
            f"{skipped} skipped, {failed} failed"
        )
        if failed:
            yield f"first failure: {self._first_failure}"
        if answered:
            yield (
                f"people per frame: {min(self._people)} to {max(self._people)}, "
                f"{np.mean(self._people):.1f} on average; {self._keypoints} keypoints in total"
            )
            if self._tracks:
                yield f"tracks: {len(self._tracks)}"
            if self._timings:
                yield millis_table(self._millis)


def millis_table(millis: dict[str, list[float]]) -> str:
    """Format percentiles of times, one row for each name; stages come last, in their order."""
    ranks = {stage: i for i, stage in enumerate(STAGES)}
    rows = [["milliseconds", *(f"p{each}" for each in PERCENTILES)]]
    for name in sorted(millis, key=lambda each: ranks.get(each, -1)):
        rows.append([name, *(f"{each:.2f}" for each in percentiles(millis[name]).values())])
    return format_columns(rows, align="<" + ">" * len(PERCENTILES))


def percentiles(values: list[float]) -> dict[str, float]:
    """Return percentiles by name, such as p50."""
    found = np.percentile(values, PERCENTILES).tolist()
    return {f"p{rank}": value for rank, value in zip(PERCENTILES, found, strict=True)}
