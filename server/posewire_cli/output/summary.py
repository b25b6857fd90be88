"""What many answers come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from time import perf_counter

import numpy as np

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.stage_times import STAGES, stage_millis
from posewire_client import FrameFailure, Origin, Result, Skipped

_PERCENTILES = (50, 90, 99)


class Summary:
    """Counts outcomes and people, and keeps stage times; the clock runs from the first call."""

    def __init__(self) -> None:
        self.counts = {Result: 0, Skipped: 0, FrameFailure: 0}
        self._people: list[int] = []
        self._keypoints = 0
        self._millis: dict[str, list[float]] = defaultdict(list)
        self._first_failure = ""
        self._began = perf_counter()

    def write(self, image: AnsweredImage) -> None:
        outcome = image.outcome
        self.counts[type(outcome)] += 1
        if isinstance(outcome, FrameFailure) and not self._first_failure:
            self._first_failure = f"{image.name}: {outcome.error}"
        if isinstance(outcome, Result):
            self._people.append(len(outcome.poses))
            self._keypoints += int((outcome.origins != Origin.ABSENT).sum())
            for stage, millis in stage_millis(outcome.stage_times):
                self._millis[stage].append(millis)

    def close(self) -> None:
        pass

    def lines(self) -> Iterator[str]:
        """For people."""
        secs = perf_counter() - self._began
        total = sum(self.counts.values())
        answered, skipped, failed = (self.counts[each] for each in (Result, Skipped, FrameFailure))
        yield (
            f"{total} frames in {secs:.1f} s ({total / secs:.1f} a second): {answered} answered, "
            f"{skipped} skipped, {failed} failed"
        )
        if failed:
            yield f"the first that failed was {self._first_failure}"
        if answered:
            yield (
                f"people: {min(self._people)} to {max(self._people)} in a frame, "
                f"{np.mean(self._people):.1f} on average; {self._keypoints} keypoints in all"
            )
            yield from millis_table(self._millis)


def millis_table(millis: dict[str, list[float]]) -> Iterator[str]:
    """Percentiles of times, one row for each name, those of stages last and in their order."""
    ranks = {stage: i for i, stage in enumerate(STAGES)}
    yield f"{'milliseconds':14s}" + "".join(f"{f'p{each}':>9s}" for each in _PERCENTILES)
    for name in sorted(millis, key=lambda each: ranks.get(each, -1)):
        yield f"{name:14s}" + "".join(f"{each:9.2f}" for each in percentiles(millis[name]).values())


def percentiles(values: list[float]) -> dict[str, float]:
    """By their names, such as p50."""
    found = np.percentile(values, _PERCENTILES).tolist()
    return {f"p{rank}": value for rank, value in zip(_PERCENTILES, found, strict=True)}
