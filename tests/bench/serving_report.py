"""What the benchmark of serving measures, and its tables."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.bench.machine import commit_of, processor
from tests.bench.serving_load import Turn

VERSIONS = ("grpcio", "protobuf", "numpy", "opencv-python-headless", "openvino")


@dataclass(slots=True)
class Measured:
    """A server under one kind of load, and its turns."""

    name: str
    take_turn: Callable[[float], Turn]
    turns: list[Turn] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(turn.rate for turn in self.turns)

    @property
    def cpu_millis(self) -> float:
        """Of the server, for one frame."""
        frames = sum(turn.frames for turn in self.turns)
        return 1000 * sum(turn.cpu_secs for turn in self.turns) / max(1, frames)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One value of a pair of servers, whose frames per second or CPU time are compared."""

    title: str
    over: Measured
    under: Measured
    is_cpu: bool = False

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """Of the ratios in each round."""
        pairs = zip(self.over.turns, self.under.turns, strict=True)
        low, mid, high = statistics.quantiles([self._ratio(*pair) for pair in pairs], n=4)
        return low, mid, high

    def _ratio(self, over: Turn, under: Turn) -> float:
        if self.is_cpu:
            return over.cpu_millis / under.cpu_millis
        return over.frames / over.secs / (max(1, under.frames) / under.secs)


def report_of(
    roots: Mapping[str, Path],
    peers: Sequence[str],
    measured: Sequence[Measured],
    ratios: Sequence[Ratio],
) -> dict[str, object]:
    """Return what was measured; `roots` of the working trees, `peers` with their versions."""
    return {
        "commits": {name: commit_of(root) for name, root in roots.items()},
        "processor": processor(),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
        "peers": list(peers),
        "rounds": len(measured[0].turns),
        "servers": [
            {"name": each.name, "frames_per_sec": each.rate, "cpu_millis": each.cpu_millis}
            for each in measured
        ],
        "ratios": [{"name": each.title, "quartiles": each.quartiles} for each in ratios],
    }


def tables(report: dict[str, object]) -> str:
    servers: list[dict[str, float]] = report["servers"]
    ratios = report["ratios"]
    versions = ", ".join(f"{name} {value}" for name, value in report["versions"].items())
    versions = ", ".join([versions, *report["peers"]])
    commits = ", ".join(f"{name} `{value}`" for name, value in report["commits"].items())
    load = ", ".join(f"{each:.2f}" for each in report["load_average"])
    lines = [
        f"Commit {commits}, {report['processor']}, {report['processors']} processors,",
        f"Python {report['python']}, {versions};",
        f"{report['rounds']} rounds, load average {load}.",
        "",
        "| load | frames/s | server CPU a frame, ms |",
        "|---|---|---|",
        *(
            f"| {each['name']} | {each['frames_per_sec']:.0f} | {each['cpu_millis']:.2f} |"
            for each in servers
        ),
        "",
        "| ratio | median | quartiles |",
        "|---|---|---|",
    ]
    for each in ratios:
        low, mid, high = each["quartiles"]
        lines.append(f"| {each['name']} | {mid:.2f} | {low:.2f}, {high:.2f} |")
    return "\n".join(lines)
