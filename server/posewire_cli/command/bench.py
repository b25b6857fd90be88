"""`posewire bench`: measure the latency and throughput of a server."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter
from tqdm import tqdm

from posewire_cli.command.connection import Connection, connect
from posewire_cli.command.estimation_options import EstimationOptions
from posewire_cli.command.option_types import Count, OutputPath, Seconds, parse_counts
from posewire_cli.command.output_options import OUTPUT
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.errors import UsageError
from posewire_cli.load_generator import Calls, Load, LoadRun
from posewire_cli.output.load_figures import LoadFigures, as_csv
from posewire_cli.output.output_files import OutputFile, check_outputs
from posewire_cli.output.whole_file import write_whole
from posewire_server.sample import STILL

_WARM_UP_SECS = 1.0
_Counts = Annotated[
    tuple[int, ...], Parameter(converter=parse_counts, n_tokens=1, accepts_keys=False)
]


@Parameter(name="*", group=Group("Load", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    image: Annotated[Path, Parameter(show_default=False)] = STILL
    """Image file to send, unchanged (default: the bundled image)."""

    calls: Calls = "unary"
    """One call per image, or streams of images."""

    concurrency: Annotated[_Counts, Parameter(show_default=False)] = (1,)
    """Concurrent callers or streams; a list such as 1,2,4 is run in turn (default: 1)."""

    window: Count | None = None
    """Frames in flight per stream (default: the server's)."""

    seconds: Seconds = 10.0
    """Duration of each run, after a warm-up of one second."""


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOptions:
    json: bool = False
    """Print one line of JSON per run."""

    export_json: OutputPath | None = None
    """File for the measurements of all runs, as a JSON array."""

    export_csv: OutputPath | None = None
    """File for the measurements of all runs, as CSV with one line per run."""

    overwrite: bool = False
    """Replace output files that exist (default: they are an error). Never replaces an input."""

    def check(self, *, inputs: list[Path]) -> None:
        """Raise `OutputError` unless all files can be written and destroy nothing."""
        named = (("--export-json", self.export_json), ("--export-csv", self.export_csv))
        files = [OutputFile(option, path) for option, path in named if path is not None]
        check_outputs(files, inputs=inputs, overwrite=self.overwrite)

    def show(self, figures: LoadFigures) -> None:
        """Print one run."""
        lines = [json_format.dumps(figures.record())] if self.json else figures.lines()
        print(*lines, sep="\n", flush=True)

    def write(self, figures: list[LoadFigures]) -> None:
        """Write the files, unless there is nothing to write."""
        if figures and self.export_json is not None:
            records = [each.record() for each in figures]
            write_whole(self.export_json, json_format.dumps(records, indent=2) + "\n")
        if figures and self.export_csv is not None:
            write_whole(self.export_csv, as_csv(figures))


@dataclass(frozen=True, slots=True)
class _Report:
    """Shows and keeps what was measured, also by a run that ends early."""

    options: FigureOptions
    figures: list[LoadFigures] = field(default_factory=list)

    def add(self, figures: LoadFigures) -> None:
        if figures.measured.outcomes:
            self.figures.append(figures)
            self.options.show(figures)


def bench(
    *,
    target: TargetOptions = TargetOptions(),
    load: LoadOptions = LoadOptions(),
    estimation: EstimationOptions = EstimationOptions(),
    output: FigureOptions = FigureOptions(),
) -> int:
    if load.window is not None and load.calls != "stream":
        raise UsageError("--window: only with --calls stream")
    target.check()
    output.check(inputs=[load.image, *target.model_files()])
    image = load.image.read_bytes()
    with connect(target) as connection, _reporting(output) as report:
        work = Load(
            image=image,
            calls=load.calls,
            concurrency=load.concurrency[0],
            secs=load.seconds,
            model=connection.model.name,
            options=estimation.to_client(),
            window=load.window,
        )
        LoadRun(connection.client, replace(work, secs=_WARM_UP_SECS)).run()
        for concurrency in load.concurrency:
            _measure(connection, replace(work, concurrency=concurrency), report)
    return 1 if any(each.measured.failures for each in report.figures) else 0


@contextmanager
def _reporting(options: FigureOptions) -> Iterator[_Report]:
    """Write the files at the end, also after an interruption or the loss of the server."""
    report = _Report(options)
    try:
        yield report
    finally:
        options.write(report.figures)


def _measure(connection: Connection, load: Load, report: _Report) -> None:
    name = f"{load.model}, concurrency {load.concurrency}"
    with tqdm(desc=name, unit="image", disable=None, leave=False) as bar:
        run = LoadRun(connection.client, load, progress=bar.update)
        try:
            run.run()
        finally:
            bar.close()
            report.add(LoadFigures(load, run.measured))
