"""The metrics of all processes at one endpoint, with the label `process`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, Sample
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_LABEL = "process"
# A process that does not answer in this time is left out.
_ANSWER_SECS = 2.0

# Returns the text of one process, empty if it has none.
Ask = Callable[[], Awaitable[bytes]]


class JointMetrics(Collector):
    """Collects from processes by number; belongs to one event loop.

    `registry` has what the last `refresh` has collected.
    """

    def __init__(self) -> None:
        self._texts: dict[int, bytes] = {}
        self._starts: dict[int, int] = {}
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def count_start(self, process: int) -> None:
        self._starts[process] = self._starts.get(process, 0) + 1

    async def refresh(self, processes: Mapping[int, Ask]) -> None:
        """Ask these processes."""
        texts = await asyncio.gather(*map(_ask, processes.values()))
        self._texts = dict(zip(processes, texts, strict=True))

    def collect(self) -> Iterator[Metric]:
        yield from self._collect_processes()
        yield from merge_metrics({each: text.decode() for each, text in self._texts.items()})

    def _collect_processes(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "posewire_process_up", "1 if a process answers the collector.", labels=(_LABEL,)
        )
        starts = CounterMetricFamily(
            "posewire_process_starts", "Starts of a process.", labels=(_LABEL,)
        )
        for process, count in sorted(self._starts.items()):
            up.add_metric((str(process),), bool(self._texts.get(process)))
            starts.add_metric((str(process),), count)
        yield from (up, starts)


async def _ask(ask: Ask) -> bytes:
    try:
        return await asyncio.wait_for(ask(), _ANSWER_SECS)
    except asyncio.TimeoutError:
        return b""


def merge_metrics(texts: Mapping[int, str]) -> Iterable[Metric]:
    """Return the metrics of Prometheus texts by process, with a label for the process."""
    merged: dict[str, Metric] = {}
    for process, text in sorted(texts.items()):
        for family in text_string_to_metric_families(text):
            into = merged.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            into.samples += [_label(sample, process) for sample in family.samples]
    return merged.values()


def _label(sample: Sample, process: int) -> Sample:
    return sample._replace(labels={_LABEL: str(process), **sample.labels})
