"""How long decoding takes, beside a plain sum over the same heatmaps in the same run.

Prints Markdown tables and writes JSON: run it through `make bench`, with nothing else on the
machine. With `--against` it also measures the decoder of another checkout, in turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

# One thread for everything, the BLAS of the second yardstick included.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np

from posewire_decoder import Decoder, ReferenceDecoder
from tests.bench.decode_maps import Floats, worst_maps
from tests.bench.machine import ROOT, commit_of, measured_on
from tests.reference.scenes import KINDS, PaintedScene, crowd, scene

SUBJECT = Path(__file__).with_name("decode_subject.py")
PEOPLE = (0, 1, 5, 10, 20, 30)
SIZES = ((256, 256), (144, 144), (464, 256))

Measure = Callable[[], float]  # microseconds


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians over the rounds on the same maps, in microseconds, and of the ratios of each round.

    `other` is the decoder of another checkout. `missing` counts the keypoints that refine has to
    look for.
    """

    total: float
    dot: float
    decode: float
    other: float | None
    over_sum: float
    over_dot: float
    over_other: float | None
    missing: float


@dataclass(frozen=True, slots=True)
class Other:
    """A process with the decoder of another checkout, and the directory it reads maps from."""

    process: subprocess.Popen[str]
    directory: Path

    def measure(self, name: str) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(name, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


@dataclass(frozen=True, slots=True)
class Bench:
    """How often to time each scene, and against which other decoder."""

    rounds: int
    seeds: int
    other: Other | None

    def time(self, heatmaps: Floats, tags: Floats, *, rounds: int | None = None) -> Timing:
        """Time the sum, the dot product and the decoders, in turns."""
        decoder = Decoder()
        flat = heatmaps.ravel()
        measures: list[Measure] = [
            timed(heatmaps.sum),
            timed(lambda: np.dot(flat, flat)),
            timed(lambda: decoder.decode(heatmaps, tags)),
        ]
        missing = int((decoder.decode(heatmaps, tags, refine=False).origins != 1).sum())
        if self.other is None:
            return timing_of(in_turns(rounds or self.rounds, measures), missing)
        other = self.other
        with tempfile.NamedTemporaryFile(dir=other.directory, suffix=".npz") as file:
            np.savez(file, heatmaps=heatmaps, tags=tags)
            file.flush()
            measures.append(lambda: other.measure(file.name))
            return timing_of(in_turns(rounds or self.rounds, measures), missing)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="timings of each scene")
    parser.add_argument("--seeds", type=int, default=3, help="scenes of each kind")
    parser.add_argument("--against", type=Path, help="another checkout with an environment .venv")
    parser.add_argument("--only", nargs="+", choices=TABLES, default=list(TABLES), help="tables")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench-decode.json")
    arguments = parser.parse_args()
    print(f"{measured_on(f'NumPy {np.__version__}')}; one thread, medians of its CPU time in µs.")
    report: dict[str, Any] = {"commit": commit_of(ROOT)}
    with ExitStack() as stack:
        other = None
        if arguments.against is not None:
            report["against"] = commit_of(arguments.against)
            print(f"*other* is commit `{report['against']}`, measured in turns.")
            other = stack.enter_context(decoder_of(arguments.against.resolve()))
        for name in arguments.only:
            report[name] = TABLES[name](Bench(arguments.rounds, arguments.seeds, other))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")


@contextmanager
def decoder_of(checkout: Path) -> Iterator[Other]:
    """Start a process with the decoder of a checkout."""
    command = [str(checkout / ".venv/bin/python"), str(SUBJECT)]
    with (
        tempfile.TemporaryDirectory() as directory,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=checkout
        ) as process,
    ):
        yield Other(process, Path(directory))
        process.communicate()


def crowds(bench: Bench) -> list[dict[str, Any]]:
    """Print tables of crowds by size; return a record of each line."""
    records = []
    for apart in (True, False):
        print("\nPeople who stand apart:\n" if apart else "\nPeople who hide each other:\n")
        print_titles(bench, "heatmaps", "people", "missing", "reference")
        for width, height in SIZES:
            for count in PEOPLE:
                size = {"width": width, "height": height}
                scenes = [crowd(count, **size, seed=n, apart=apart) for n in range(bench.seeds)]
                timings = [bench.time(each.heatmaps, each.tags) for each in scenes]
                slow = statistics.median(reference_micros(each, bench) for each in scenes)
                timing = median_of(timings)
                head = f"{width}×{height} | {count} | {timing.missing:.0f} | {slow:.0f}"
                print(f"| {head} | {cells(timing)} |")
                records.append({"apart": apart, **size, "people": count, **asdict(timing)})
    return records


def painted(bench: Bench) -> list[dict[str, Any]]:
    """Print the median and the worst ratio over the scenes of each kind; return all timings."""
    print("\nPainted scenes, 256×256:\n")
    titles = ["scenes", "decode / sum, median", "worst"]
    if bench.other is not None:
        titles += ["decode / other, median", "worst"]
    print(f"| {' | '.join(titles)} |\n" + "|---" * len(titles) + "|")
    records = []
    for kind in KINDS:
        scenes = [scene(kind, seed) for seed in range(4 * bench.seeds)]
        timings = [bench.time(each.heatmaps, each.tags) for each in scenes]
        records += [{"kind": kind, **asdict(timing)} for timing in timings]
    for name in (*KINDS, "all"):
        chosen = [each for each in records if name in (each["kind"], "all")]
        columns = ["over_sum"] if bench.other is None else ["over_sum", "over_other"]
        ratios = [[each[column] for each in chosen] for column in columns]
        figures = (f"{statistics.median(each):.2f} | {max(each):.2f}" for each in ratios)
        print(f"| {name} | {' | '.join(figures)} |")
    return records


def worst(bench: Bench) -> list[dict[str, Any]]:
    """Print a table of the slowest maps; return a record of each line."""
    print("\nNoise everywhere, 256×256:\n")
    print_titles(bench, "maps", "missing")
    records = []
    for name, heatmaps, tags in worst_maps(256):
        timing = bench.time(heatmaps, tags, rounds=max(bench.rounds // 20, 3))
        print(f"| {name} | {timing.missing:.0f} | {cells(timing)} |")
        records.append({"maps": name, **asdict(timing)})
    return records


TABLES: dict[str, Callable[[Bench], list[dict[str, Any]]]] = {
    "painted": painted,
    "crowds": crowds,
    "worst": worst,
}


def print_titles(bench: Bench, *titles: str) -> None:
    titles += ("NumPy sum", "decode", "decode / sum", "decode / dot")
    if bench.other is not None:
        titles += ("other", "decode / other")
    print(f"| {' | '.join(titles)} |\n" + "|---" * len(titles) + "|")


def cells(timing: Timing) -> str:
    figures = [f"{timing.total:.0f}", f"{timing.decode:.0f}"]
    figures += [f"{timing.over_sum:.2f}", f"{timing.over_dot:.2f}"]
    if timing.other is not None:
        figures += [f"{timing.other:.0f}", f"{timing.over_other:.2f}"]
    return " | ".join(figures)


def reference_micros(painted: PaintedScene, bench: Bench) -> float:
    decoder = ReferenceDecoder()
    measure = timed(lambda: decoder.decode(painted.heatmaps, painted.tags))
    return statistics.median(*in_turns(max(bench.rounds // 50, 3), [measure]))


def timing_of(samples: Sequence[Sequence[float]], missing: int) -> Timing:
    total, dot, decode = samples[:3]
    other = samples[3] if len(samples) > 3 else None
    return Timing(
        total=statistics.median(total),
        dot=statistics.median(dot),
        decode=statistics.median(decode),
        other=None if other is None else statistics.median(other),
        over_sum=median_ratio(decode, total),
        over_dot=median_ratio(decode, dot),
        over_other=None if other is None else median_ratio(decode, other),
        missing=missing,
    )


def median_of(timings: Sequence[Timing]) -> Timing:
    def median(name: str) -> Any:
        values = [getattr(each, name) for each in timings]
        return None if None in values else statistics.median(values)

    return Timing(**{field.name: median(field.name) for field in fields(Timing)})


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def timed(action: Callable[[], object]) -> Measure:
    """Measure the CPU time of the thread, which other programs prolong less than the clock's."""

    def measure() -> float:
        start = time.thread_time()
        action()
        return (time.thread_time() - start) * 1e6

    return measure


def in_turns(rounds: int, measures: Sequence[Measure]) -> list[list[float]]:
    """Return the microseconds of each. They run one after the other in every round, so that
    whatever else the machine does affects all of them alike.
    """
    samples: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for measure, own in zip(measures, samples, strict=True):
            own.append(measure())
    return samples


if __name__ == "__main__":
    main()
