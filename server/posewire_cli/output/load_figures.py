"""Figures of a load: as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from posewire_cli.load_generator import Load, Measurements
from posewire_cli.output.error_text import describe_error
from posewire_cli.output.stage_times import STAGES, stage_millis
from posewire_cli.output.summary import PERCENTILES, millis_table, percentiles

_ROUND_TRIP = "round trip"


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """A load and what was measured, of at least one outcome."""

    load: Load
    measured: Measurements

    def lines(self) -> Iterator[str]:
        """Format the figures as text."""
        load, measured = self.load, self.measured
        secs = f"{measured.secs:.1f} s{'' if measured.is_complete else ', interrupted'}"
        yield (
            f"{load.model}: {len(measured.outcomes)} images, {load.calls} calls, "
            f"concurrency {load.concurrency}, {secs}: {self._rate:.1f} images/s"
        )
        if failures := measured.failures:
            fault = describe_error(failures[0].error, image="--image")
            yield f"{len(failures)} failed; first error: {fault}"
        yield millis_table(self._millis())

    def record(self) -> dict[str, Any]:
        """Return the figures as they are written as JSON."""
        return {
            **self._counts(),
            "milliseconds": {
                name.replace(" ", "_"): percentiles(times) for name, times in self._millis().items()
            },
        }

    def row(self) -> dict[str, Any]:
        """Return the figures by column, the same columns for every load."""
        millis = self._millis()
        columns = dict(self._counts())
        for name in (_ROUND_TRIP, *STAGES):
            found = percentiles(millis[name]) if name in millis else {}
            for rank in PERCENTILES:
                key = f"{name.replace(' ', '_')}_ms_p{rank}"
                columns[key] = found.get(f"p{rank}", "")
        return columns

    @property
    def _rate(self) -> float:
        return len(self.measured.outcomes) / self.measured.secs

    def _counts(self) -> dict[str, Any]:
        return {
            "model": self.load.model,
            "calls": self.load.calls,
            "concurrency": self.load.concurrency,
            "images": len(self.measured.outcomes),
            "failed": len(self.measured.failures),
            "complete": self.measured.is_complete,
            "seconds": self.measured.secs,
            "images_per_second": self._rate,
        }

    def _millis(self) -> dict[str, list[float]]:
        """Return the round trips, and the times of each stage that ran."""
        stages = [dict(stage_millis(each.stage_times)) for each in self.measured.results]
        by_stage = {name: [each[name] for each in stages if name in each] for name in STAGES}
        millis = {_ROUND_TRIP: [1e3 * secs for secs in self.measured.round_trips], **by_stage}
        return {name: times for name, times in millis.items() if times}


def as_csv(figures: Sequence[LoadFigures]) -> str:
    """Format one line for each load, below the names of the columns."""
    rows = [each.row() for each in figures]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
