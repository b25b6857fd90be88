"""`posewire bench`: measure the latency and throughput of a server."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter
from tqdm import tqdm

from posewire_cli.command.connection import connect
from posewire_cli.command.estimation_options import EstimationOptions
from posewire_cli.command.option_types import Count, Seconds
from posewire_cli.command.output_options import OUTPUT
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.errors import UsageError
from posewire_cli.load_generator import Calls, Load, Measurements, run_load
from posewire_cli.output.stage_times import STAGES, stage_millis
from posewire_cli.output.summary import millis_table, percentiles
from posewire_server.sample import STILL

_WARM_UP_SECS = 1.0


@Parameter(name="*", group=Group("Load", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    image: Annotated[Path, Parameter(show_default=False)] = STILL
    """Image file to send, unchanged (default: the bundled image)."""

    calls: Calls = "unary"
    """One call per image, or streams of images."""

    concurrency: Count = 1
    """Concurrent callers or streams."""

    window: Count | None = None
    """Frames in flight per stream (default: the server's)."""

    seconds: Seconds = 10.0
    """Duration, after a warm-up of one second."""


def bench(
    *,
    target: TargetOptions = TargetOptions(),
    load: LoadOptions = LoadOptions(),
    estimation: EstimationOptions = EstimationOptions(),
    json: Annotated[bool, Parameter(group=OUTPUT)] = False,
) -> int:
    """
    Parameters
    ----------
    json
        Print the measurements as JSON.
    """
    if load.window is not None and load.calls != "stream":
        raise UsageError("--window: only with --calls stream")
    target.check()
    with connect(target) as connection:
        work = Load(
            image=load.image.read_bytes(),
            calls=load.calls,
            concurrency=load.concurrency,
            secs=load.seconds,
            model=connection.model.name,
            options=estimation.to_client(),
            window=load.window,
        )
        run_load(connection.client, replace(work, secs=_WARM_UP_SECS))
        with tqdm(desc=work.model, unit="image", disable=None) as bar:
            measured = run_load(connection.client, work, progress=bar.update)
    if json:
        print(json_format.dumps(_figures(work, measured)))
    else:
        print(*_lines(work, measured), sep="\n")
    return 1 if measured.failures else 0


def _millis(measured: Measurements) -> dict[str, list[float]]:
    """Return the round trips, and the times of each stage that ran."""
    stages = [dict(stage_millis(each.stage_times)) for each in measured.results]
    by_stage = {name: [each[name] for each in stages if name in each] for name in STAGES}
    millis = {"round trip": [1e3 * secs for secs in measured.round_trips], **by_stage}
    return {name: times for name, times in millis.items() if times}


def _lines(load: Load, measured: Measurements) -> Iterator[str]:
    count = len(measured.outcomes)
    yield (
        f"{load.model}: {count} images, {load.calls} calls, concurrency {load.concurrency}, "
        f"{measured.secs:.1f} s: {count / measured.secs:.1f} images/s"
    )
    if measured.failures:
        yield f"{len(measured.failures)} failed; first error: {measured.failures[0].error}"
    yield millis_table(_millis(measured))


def _figures(load: Load, measured: Measurements) -> dict[str, Any]:
    return {
        "model": load.model,
        "calls": load.calls,
        "concurrency": load.concurrency,
        "images": len(measured.outcomes),
        "failed": len(measured.failures),
        "seconds": measured.secs,
        "images_per_second": len(measured.outcomes) / measured.secs,
        "milliseconds": {
            name.replace(" ", "_"): percentiles(times) for name, times in _millis(measured).items()
        },
    }
