"""`posewire bench`: how fast a server answers, and how much it answers."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from posewire_cli.command.argument_types import count, seconds
from posewire_cli.command.estimate_arguments import add_estimate_arguments, estimate_options
from posewire_cli.command.target_arguments import add_target_arguments, check_target

if TYPE_CHECKING:
    from posewire_cli.command.connection import Connection
    from posewire_cli.load_generator import Calls, Load, Measurements

_WARM_UP_SECS = 1.0


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "bench",
        help="measure how fast a server answers",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Keep a server busy for a while and tell how long its answers took.

            The load takes processor time too: measured from another machine, a server does
            better."""),
        epilog="example: posewire bench --model demo --calls stream --seconds 10",
    )
    add_target_arguments(parser)
    group = parser.add_argument_group("what the load is")
    group.add_argument(
        "--image",
        metavar="FILE",
        type=Path,
        help="sent as it is, again and again (default: the still that comes with posewire)",
    )
    group.add_argument(
        "--calls",
        choices=("unary", "stream"),
        default="unary",
        help="one call for each image, or streams of frames (default: unary)",
    )
    group.add_argument(
        "--concurrency",
        metavar="N",
        type=count,
        default=1,
        help="callers, or streams, at the same time (default: 1)",
    )
    group.add_argument(
        "--window",
        metavar="N",
        type=count,
        help="frames on their way in each stream (default: the server's)",
    )
    group.add_argument(
        "--seconds",
        metavar="SECONDS",
        type=seconds,
        default=10.0,
        help="after one second of warming up (default: 10)",
    )
    add_estimate_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=lambda options: _run(_checked(parser, options)))


def _checked(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    if options.window is not None and options.calls != "stream":
        parser.error("--window: only with --calls stream")
    return check_target(parser, options)


def _run(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from tqdm import tqdm

    from posewire_cli.command.connection import connected
    from posewire_cli.load_generator import run_load

    with connected(options) as connection:
        load = _load(options, connection)
        run_load(connection.client, replace(load, secs=_WARM_UP_SECS))
        with tqdm(desc=load.model, unit="image", disable=None) as bar:
            answers = run_load(connection.client, load, progress=bar.update)
    print(json.dumps(_figures(load, answers)) if options.json else "\n".join(_lines(load, answers)))
    return 1 if answers.failures else 0


def _load(options: argparse.Namespace, connection: Connection) -> Load:
    from posewire_cli.load_generator import Load
    from posewire_server.sample import STILL

    calls: Calls = options.calls
    return Load(
        image=(options.image or STILL).read_bytes(),
        calls=calls,
        concurrency=options.concurrency,
        secs=options.seconds,
        model=connection.model.name,
        options=estimate_options(options),
        window=options.window,
    )


def _millis(answers: Measurements) -> dict[str, list[float]]:
    from posewire_cli.output.stage_times import STAGES, stage_millis

    stages = [dict(stage_millis(each.stage_times)) for each in answers.results]
    by_stage = {name: [each[name] for each in stages if name in each] for name in STAGES}
    return {"round trip": [1e3 * secs for secs in answers.round_trips], **by_stage}


def _lines(load: Load, answers: Measurements) -> Iterator[str]:
    from posewire_cli.output.summary import millis_table

    count = len(answers.outcomes)
    yield (
        f"{load.model}: {count} images by {load.calls}, {load.concurrency} at a time, in "
        f"{answers.secs:.1f} s: {count / answers.secs:.1f} a second"
    )
    if answers.failures:
        yield f"{len(answers.failures)} failed; the first with {answers.failures[0].error}"
    yield millis_table({name: each for name, each in _millis(answers).items() if each})


def _figures(load: Load, answers: Measurements) -> dict[str, Any]:
    from posewire_cli.output.summary import percentiles

    return {
        "model": load.model,
        "calls": load.calls,
        "concurrency": load.concurrency,
        "images": len(answers.outcomes),
        "failed": len(answers.failures),
        "seconds": answers.secs,
        "images_per_second": len(answers.outcomes) / answers.secs,
        "milliseconds": {
            name.replace(" ", "_"): percentiles(each)
            for name, each in _millis(answers).items()
            if each
        },
    }
