"""Measures the cost of serving without the network: frames per second, and CPU time per frame.

Prints Markdown tables and writes JSON: run it through `make bench-serving`, with nothing else on
the machine. All servers run at the same time and are measured in turns, so whatever else the
machine does affects all of them. With `--against` it measures those of another checkout, too, and
with `--peers` the other servers that `python -m tests.bench.peers.environments` has installed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from posewire.v1 import image_pb2
from tests.bench.machine import ROOT
from tests.bench.overhead import camera_jpeg
from tests.bench.peers import environments
from tests.bench.peers.request import SIDE, frame
from tests.bench.serving_process import (
    Server,
    loaded,
    loaded_peer,
    looped,
    running,
    running_peer,
)
from tests.bench.serving_report import Measured, Ratio, report_of, tables

SUBJECT = Path(__file__).with_name("serving_subject.py")
BARE = "JPEG, grpc.aio and cv2 alone, 16 unary callers"
ALONE = "OpenVINO alone"
READY = "raw, ready-made poses, 16 streams"
# Callers of the bundled network beside peers.
CALLERS = (1, 4, 16)


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
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=environments.REQUIREMENTS,
        help="other servers, without names all",
    )
    parser.add_argument("--only", default="", help="loads with this text in their names")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench-serving.json")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.rounds, arguments.secs = 2, 0.2
    peers = [] if arguments.peers is None else arguments.peers or list(environments.REQUIREMENTS)
    if missing := [each for each in peers if not environments.is_installed(each)]:
        names = " ".join(missing)
        parser.error(f"not installed; run: python -m tests.bench.peers.environments {names}")
    checkouts = [Checkout(ROOT, "")]
    if arguments.against is not None:
        checkouts.append(Checkout(arguments.against.resolve(), " (other)"))
    with ExitStack() as stack:
        measured, ratios = measurements(checkouts, peers, arguments.only, stack)
        for _ in range(arguments.rounds):
            for each in measured:
                each.turns.append(each.take_turn(arguments.secs))
    roots = {f"this{each.label}": each.root for each in checkouts}
    versions = [environments.version_of(each) for each in peers]
    report = report_of(roots, versions, measured, ratios)
    print(tables(report))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report, indent=2) + "\n")


def measurements(
    checkouts: Sequence[Checkout], peers: Sequence[str], only: str, stack: ExitStack
) -> tuple[list[Measured], list[Ratio]]:
    """Start the servers; return what to measure, and the ratios that it gives."""
    raw = image_pb2.Image(raw=raw_image())
    jpeg = image_pb2.Image(encoded=image_pb2.EncodedImage(data=camera_jpeg()))
    by_name: dict[str, Measured] = {}

    @cache
    def start(checkout: Checkout, *arguments: str) -> Server:
        environment = {"PYTHONPATH": str(checkout.root)}
        program = running(
            [checkout.python, *arguments], root=checkout.root, environment=environment
        )
        return stack.enter_context(program)

    @cache
    def start_peer(peer: str, network: str) -> Server:
        return stack.enter_context(running_peer(peer, network))

    def add(name: str, image: image_pb2.Image, callers: int, way: str, *server: object) -> None:
        if only in name:
            by_name[name] = Measured(name, loaded(start(*server), image, callers, way))

    def add_peer(name: str, callers: int, peer: str, network: str) -> None:
        if only in name:
            by_name[name] = Measured(name, loaded_peer(start_peer(peer, network), callers))

    for each in checkouts:
        no_op, ready, demo = ((each, str(SUBJECT), name) for name in ("no-op", "ready", "demo"))
        add(f"{READY}{each.label}", raw, 16, "stream", *ready)
        add(f"raw, no-op network, 4 streams{each.label}", raw, 4, "stream", *no_op)
        add(f"raw, no-op network, 16 streams{each.label}", raw, 16, "stream", *no_op)
        add(f"raw, no-op network, 64 streams{each.label}", raw, 64, "stream", *no_op)
        add(f"JPEG, no-op network, 16 streams{each.label}", jpeg, 16, "stream", *no_op)
        add(f"JPEG, no-op network, 16 unary callers{each.label}", jpeg, 16, "unary", *no_op)
        for count in CALLERS if peers else (4,):
            add(f"raw, bundled network, {count} streams{each.label}", raw, count, "stream", *demo)
    bare = checkouts[0], "-m", "tests.reference.bare_server"
    add(BARE, jpeg, 16, "unary", *bare)
    if only in ALONE:
        by_name[ALONE] = Measured(ALONE, looped(start(checkouts[0], str(SUBJECT), "network")))
    for peer in peers:
        add_peer(f"raw, ready-made poses, 16 callers, {peer}", 16, peer, "ready")
        for count in CALLERS:
            add_peer(f"raw, bundled network, {count} callers, {peer}", count, peer, "demo")
    return list(by_name.values()), list(ratios_of(by_name, checkouts, peers))


def ratios_of(
    by_name: dict[str, Measured], checkouts: Sequence[Checkout], peers: Sequence[str]
) -> Iterator[Ratio]:
    """Yield the ratios of which both sides are measured."""

    def ratio(title: str, over: str, under: str, *, is_cpu: bool = False) -> Iterator[Ratio]:
        if over in by_name and under in by_name:
            yield Ratio(title, by_name[over], by_name[under], is_cpu)

    for label in (each.label for each in checkouts):
        ready = f"{READY}{label}"
        few, some, many = (f"raw, no-op network, {count} streams{label}" for count in (4, 16, 64))
        yield from ratio(f"decoded over ready-made poses, CPU{label}", some, ready, is_cpu=True)
        yield from ratio(f"64 streams over 4{label}", many, few)
        yield from ratio(f"64 streams over 4, CPU{label}", many, few, is_cpu=True)
        for way in ("streams", "unary callers"):
            jpegs = f"JPEG, no-op network, 16 {way}{label}"
            yield from ratio(f"JPEG, {way}, over grpc.aio and cv2 alone{label}", jpegs, BARE)
        demo = f"raw, bundled network, 4 streams{label}"
        yield from ratio(f"bundled network over OpenVINO alone{label}", demo, ALONE)
    for peer in peers:
        theirs = f"raw, ready-made poses, 16 callers, {peer}"
        yield from ratio(f"ready-made poses, CPU, over {peer}", READY, theirs, is_cpu=True)
        for count in CALLERS:
            ours = f"raw, bundled network, {count} streams"
            theirs = f"raw, bundled network, {count} callers, {peer}"
            yield from ratio(f"bundled network, {count} callers, over {peer}", ours, theirs)
    for other in checkouts[1:]:
        for name in by_name:
            old = name + other.label
            yield from ratio(f"{name}: this over the other", name, old)
            yield from ratio(f"{name}: this over the other, CPU", name, old, is_cpu=True)


def raw_image() -> image_pb2.RawImage:
    return image_pb2.RawImage(
        data=frame(), width=SIDE, height=SIDE, pixel_format=image_pb2.PIXEL_FORMAT_BGR8
    )


if __name__ == "__main__":
    main()
