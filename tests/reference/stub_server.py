"""A server without a network, in a process of its own: `python -m tests.reference.stub_server`."""

from __future__ import annotations

import argparse
import gc
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.estimation.runner import Infer, NetworkOutput, Runner
from posewire_server.geometry import InputGeometry
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.lifecycle import serve
from posewire_server.serving.observation.observers import ObserveOptions
from posewire_server.serving.scheduling.allocator import keep_large_blocks
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.service import ServiceLimits
from posewire_server.serving.streams.session import SessionLife
from posewire_server.serving.transport.native_messages import limit_native_messages
from posewire_server.serving.transport.tls import TlsFiles
from posewire_server.serving.workers.supervisor import serve_processes
from tests.reference.faulty_runner import FaultyRunner
from tests.reference.scenes import PaintedScene, crowd
from tests.reference.server_process import ServerProcess, server_process

PEOPLE = 3

Models: TypeAlias = list[ServedModel]


class StubRunner:
    """Sees the same people in every image, and takes `secs` for it unless it is blank."""

    def __init__(self, *, capacity: int, secs: float, people: int = PEOPLE) -> None:
        self.capacity = capacity
        self._secs = secs
        self._people = people
        self._idle = threading.Semaphore(capacity)

    @contextmanager
    def request(self) -> Iterator[Infer]:
        with self._idle:
            yield self._infer

    def _infer(self, image: NDArray[np.uint8]) -> NetworkOutput:
        seen = _people_in(image.shape[1], image.shape[0], self._people)
        if self._secs and image.any():  # a warm-up's is not
            time.sleep(self._secs)
        return NetworkOutput(seen.heatmaps, seen.tags)


@contextmanager
def stub_server(
    *,
    capacity: int = 1,
    secs: float = 0.0,
    collects: bool = True,
    patience: float | None = None,
    metrics_address: str | None = None,
    processes: int = 1,
    stderr: IO[str] | None = None,
) -> Iterator[ServerProcess]:
    """Its process ends with the block, however that ends."""
    arguments = ["--capacity", str(capacity), "--secs", str(secs), "--processes", str(processes)]
    if not collects:
        arguments.append("--no-collector")
    if patience is not None:
        arguments += ["--patience", str(patience)]
    if metrics_address is not None:
        arguments += ["--metrics-address", metrics_address]
    with server_process(__name__, *arguments, stderr=stderr) as server:
        yield server


@lru_cache
def _people_in(width: int, height: int, people: int) -> PaintedScene:
    """The output of a network that halves its input."""
    return crowd(people, width=width // 2, height=height // 2, seed=0, apart=True)


def stub_model(
    *, capacity: int, secs: float, people: int = PEOPLE, has_faults: bool = False
) -> ServedModel:
    """The input of the `demo` model. `has_faults`: with those of `FaultyRunner`."""
    geometry = InputGeometry(size=256, fit="short_side", padding="right_bottom")
    runner: Runner = StubRunner(capacity=capacity, secs=secs, people=people)
    if has_faults:
        runner = FaultyRunner(runner)
    return ServedModel("stub", "1", Pipeline(runner, Decoder(DecoderOptions()), geometry))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1:0")
    parser.add_argument("--capacity", type=int, default=1)
    parser.add_argument("--secs", type=float, default=0.0)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--faults", action="store_true", help="fail on images of certain colours")
    parser.add_argument("--load-secs", type=float, default=0.0)
    parser.add_argument("--grace", type=float, default=20.0)
    parser.add_argument("--lame-duck", type=float, default=0.0)
    parser.add_argument("--max-stream-age", type=float)
    parser.add_argument("--patience", type=float, default=ServiceLimits().patience_secs)
    parser.add_argument("--max-image-bytes", type=int, default=ImageLimits().max_bytes)
    parser.add_argument("--tls-cert", type=Path)
    parser.add_argument("--tls-key", type=Path)
    parser.add_argument("--tls-client-ca", type=Path)
    parser.add_argument("--tokens", type=Path)
    parser.add_argument("--max-streams-per-peer", type=int)
    parser.add_argument("--reflection", action="store_true")
    parser.add_argument("--load-reports", action="store_true")
    parser.add_argument("--metrics-address")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--no-collector", action="store_true", help="count references only")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    keep_large_blocks()
    limit_native_messages()
    if arguments.no_collector:
        gc.disable()

    load = partial(
        load_stub,
        arguments.load_secs,
        capacity=arguments.capacity,
        secs=arguments.secs,
        people=arguments.people,
        has_faults=arguments.faults,
    )
    limits = ServiceLimits(
        image=ImageLimits(max_bytes=arguments.max_image_bytes),
        streams_per_peer=arguments.max_streams_per_peer,
        patience_secs=arguments.patience,
        life=SessionLife(drain_secs=arguments.grace, max_age_secs=arguments.max_stream_age),
    )
    tls = arguments.tls_cert and TlsFiles(
        certificate=arguments.tls_cert, key=arguments.tls_key, client_ca=arguments.tls_client_ca
    )
    options = ServerOptions(
        address=arguments.address,
        limits=limits,
        tls=tls,
        tokens=arguments.tokens,
        lame_duck_secs=arguments.lame_duck,
        reflection=arguments.reflection,
        load_reports=arguments.load_reports,
        load_trailers=arguments.load_reports,
        observe=ObserveOptions(metrics_address=arguments.metrics_address),
    )
    ready = partial(print, flush=True)
    if arguments.processes > 1:
        serve_processes(arguments.processes, load, options, ready=ready, prepare=prepare_worker)
    else:
        serve(load, options, ready=ready)


def load_stub(
    load_secs: float, *, capacity: int, secs: float, people: int, has_faults: bool
) -> Models:
    if load_secs:
        print("loading", flush=True)
        time.sleep(load_secs)
    return [stub_model(capacity=capacity, secs=secs, people=people, has_faults=has_faults)]


def prepare_worker(process: int) -> None:
    logging.basicConfig(level=logging.WARNING, format=f"process {process}: %(message)s")
    keep_large_blocks()
    limit_native_messages()


if __name__ == "__main__":
    main()
