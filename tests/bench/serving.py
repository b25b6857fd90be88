"""Measures the cost of serving without the network: frames per second, and CPU time per frame.

Prints Markdown tables and writes JSON: run it through `make bench-serving`, with nothing else on
the machine. All servers run at the same time and are measured in turns, so whatever else the
machine does affects all of them. With `--against` it measures those of another checkout, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import IO

import cv2

from posewire.v1 import image_pb2
from posewire_server.sample import STILL
from tests.bench import serving_load
from tests.bench.machine import ROOT, commit_of, processor
from tests.bench.overhead import camera_jpeg
from tests.bench.serving_load import Turn, run_turn

SUBJECT = Path(__file__).with_name("serving_subject.py")
VERSIONS = ("grpcio", "protobuf", "numpy", "opencv-python-headless", "openvino")
SIDE = 256
BARE = "JPEG, grpc.aio and cv2 alone, 16 unary callers"
ALONE = "OpenVINO alone"


@dataclass(frozen=True, slots=True)
class Server:
    """A running process: `address` is the first line that it printed."""

    address: str
    process: subprocess.Popen[str]


@dataclass(slots=True)
class Measured:
    """A server under one kind of load, and its turns."""

    name: str
    take_turn: Callable[[float], Turn]
    turns: list[Turn] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        return [turn.frames / turn.secs for turn in self.turns]

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

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
            return _cpu_of_frame(over) / _cpu_of_frame(under)
        return over.frames / over.secs / (max(1, under.frames) / under.secs)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A working tree with a `.venv`, or this one."""

    root: Path
    label: str

    @property
    def python(self) -> str:
        return sys.executable if self.root == ROOT else str(self.root / ".venv/bin/python")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="turns of each server")
    parser.add_argument("--secs", type=float, default=1.0, help="time of one turn")
    parser.add_argument("--short", action="store_true", help="2 turns of 0.2 s: does it run at all")
    parser.add_argument("--against", type=Path, help="another checkout with an environment .venv")
    parser.add_argument("--only", default="", help="loads with this text in their names")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench-serving.json")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.rounds, arguments.secs = 2, 0.2
    checkouts = [Checkout(ROOT, "")]
    if arguments.against is not None:
        checkouts.append(Checkout(arguments.against.resolve(), " (other)"))
    with ExitStack() as stack:
        measured, ratios = measurements(checkouts, arguments.only, stack)
        for _ in range(arguments.rounds):
            for each in measured:
                each.turns.append(each.take_turn(arguments.secs))
    report = report_of(checkouts, measured, ratios)
    print(tables(report))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")


def measurements(
    checkouts: Sequence[Checkout], only: str, stack: ExitStack
) -> tuple[list[Measured], list[Ratio]]:
    """Start the servers; return what to measure, and the ratios that it gives."""
    raw = image_pb2.Image(raw=raw_image())
    jpeg = image_pb2.Image(encoded=image_pb2.EncodedImage(data=camera_jpeg()))
    by_name: dict[str, Measured] = {}

    @cache
    def start(checkout: Checkout, *arguments: str) -> Server:
        return stack.enter_context(running(checkout, arguments))

    def add(name: str, image: image_pb2.Image, callers: int, way: str, *server: object) -> None:
        if only in name:
            by_name[name] = Measured(name, loaded(start(*server), image, callers, way))

    for each in checkouts:
        no_op, ready, demo = ((each, str(SUBJECT), name) for name in ("no-op", "ready", "demo"))
        add(f"raw, ready-made poses, 16 streams{each.label}", raw, 16, "stream", *ready)
        add(f"raw, no-op network, 4 streams{each.label}", raw, 4, "stream", *no_op)
        add(f"raw, no-op network, 16 streams{each.label}", raw, 16, "stream", *no_op)
        add(f"raw, no-op network, 64 streams{each.label}", raw, 64, "stream", *no_op)
        add(f"JPEG, no-op network, 16 streams{each.label}", jpeg, 16, "stream", *no_op)
        add(f"JPEG, no-op network, 16 unary callers{each.label}", jpeg, 16, "unary", *no_op)
        add(f"raw, bundled network, 4 streams{each.label}", raw, 4, "stream", *demo)
    bare = checkouts[0], "-m", "tests.reference.bare_server"
    add(BARE, jpeg, 16, "unary", *bare)
    if only in ALONE:
        by_name[ALONE] = Measured(ALONE, looped(start(checkouts[0], str(SUBJECT), "network")))
    return list(by_name.values()), list(ratios_of(by_name, checkouts))


def ratios_of(by_name: dict[str, Measured], checkouts: Sequence[Checkout]) -> Iterator[Ratio]:
    """Those of which both sides are measured."""

    def ratio(title: str, over: str, under: str, *, is_cpu: bool = False) -> Iterator[Ratio]:
        if over in by_name and under in by_name:
            yield Ratio(title, by_name[over], by_name[under], is_cpu)

    for label in (each.label for each in checkouts):
        ready = f"raw, ready-made poses, 16 streams{label}"
        few, some, many = (f"raw, no-op network, {count} streams{label}" for count in (4, 16, 64))
        yield from ratio(f"decoded over ready-made poses, CPU{label}", some, ready, is_cpu=True)
        yield from ratio(f"64 streams over 4{label}", many, few)
        yield from ratio(f"64 streams over 4, CPU{label}", many, few, is_cpu=True)
        for way in ("streams", "unary callers"):
            jpegs = f"JPEG, no-op network, 16 {way}{label}"
            yield from ratio(f"JPEG, {way}, over grpc.aio and cv2 alone{label}", jpegs, BARE)
        demo = f"raw, bundled network, 4 streams{label}"
        yield from ratio(f"bundled network over OpenVINO alone{label}", demo, ALONE)
    for other in checkouts[1:]:
        for name in by_name:
            old = name + other.label
            yield from ratio(f"{name}: this over the other", name, old)
            yield from ratio(f"{name}: this over the other, CPU", name, old, is_cpu=True)


def raw_image() -> image_pb2.RawImage:
    still = cv2.resize(cv2.imread(str(STILL)), (SIDE, SIDE))
    return image_pb2.RawImage(
        data=still.tobytes(), width=SIDE, height=SIDE, pixel_format=image_pb2.PIXEL_FORMAT_BGR8
    )


def loaded(
    server: Server, image: image_pb2.Image, callers: int, way: str
) -> Callable[[float], Turn]:
    """Return a function that puts load on a server for some seconds."""
    call = {"stream": serving_load.stream, "unary": serving_load.unary}[way]

    def take_turn(secs: float) -> Turn:
        turn = run_turn(
            server.address, server.process.pid, call=call, image=image, callers=callers, secs=secs
        )
        return asyncio.run(turn)

    return take_turn


def looped(server: Server) -> Callable[[float], Turn]:
    """Return a function that runs the network for some seconds."""

    def take_turn(secs: float) -> Turn:
        print(secs, file=_pipe(server.process.stdin), flush=True)
        rate = float(_pipe(server.process.stdout).readline())
        return Turn(round(rate * secs), secs, 0.0)

    return take_turn


@contextmanager
def running(checkout: Checkout, arguments: Sequence[str]) -> Iterator[Server]:
    """Run a program with the packages of a checkout until the block ends."""
    environment = {**os.environ, "PYTHONPATH": str(checkout.root)}
    with subprocess.Popen(
        [checkout.python, *arguments],
        cwd=checkout.root,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            address = _pipe(process.stdout).readline().strip()
            assert address, f"{arguments} ended before it was ready"
            yield Server(address, process)
        finally:
            process.kill()


def report_of(
    checkouts: Sequence[Checkout], measured: Sequence[Measured], ratios: Sequence[Ratio]
) -> dict[str, object]:
    return {
        "commits": {f"this{each.label}": commit_of(each.root) for each in checkouts},
        "processor": processor(),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS},
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


def _cpu_of_frame(turn: Turn) -> float:
    return turn.cpu_secs / max(1, turn.frames)


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


if __name__ == "__main__":
    main()
