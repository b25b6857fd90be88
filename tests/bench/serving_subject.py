"""A server to measure, in a process of its own.

`tests/bench/serving.py` also runs this file with another checkout's packages, so it uses only what
both have.
"""

from __future__ import annotations

import argparse
import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np

from posewire_server.estimation.pipeline import Pipeline
from posewire_server.estimation.runner import OpenVinoRunner, RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.models.network import read_network
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.lifecycle import serve
from posewire_server.serving.scheduling.allocator import keep_large_blocks
from posewire_server.serving.server import ServerOptions
from posewire_server.serving.transport.native_messages import limit_native_messages
from tests.reference.stub_server import stub_model

_SIDE = 256


def serve_no_op() -> list[ServedModel]:
    """Return a network that finds three people at once; everything else as usual."""
    return [stub_model(capacity=1, secs=0.0)]


def serve_ready() -> list[ServedModel]:
    """Return a model with ready-made poses: nothing is decoded, resized or grouped."""
    (model,) = serve_no_op()
    _answer_at_once(model.pipeline)
    return [model]


def serve_demo() -> list[ServedModel]:
    """Return the bundled network."""
    return [ServedModel.load(installed_model("demo"), RunnerOptions())]


def run_network() -> None:
    """Run the bundled network in as many threads as OpenVINO recommends.

    Each line of input is a number of seconds to run; it prints the runs per second. Its first line
    stands for the address of a server.
    """
    runner = OpenVinoRunner(read_network(installed_model("demo").path), RunnerOptions())
    runs = [0] * runner.capacity
    image = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    is_running = threading.Event()

    def loop(i: int) -> None:
        while is_running.wait():
            with runner.request() as infer:
                infer(image)
            runs[i] += 1

    for i in range(runner.capacity):
        threading.Thread(target=loop, args=(i,), daemon=True).start()
    print("none", flush=True)
    while line := input():
        began, before = time.perf_counter(), sum(runs)
        is_running.set()
        time.sleep(float(line))
        is_running.clear()
        print((sum(runs) - before) / (time.perf_counter() - began), flush=True)


def _answer_at_once(pipeline: Pipeline) -> None:
    """Replace the methods for images of requests by ones that repeat their first answer."""
    for name in ("estimate_image", "estimate_to_bytes"):
        if hasattr(pipeline, name):
            setattr(pipeline, name, _Repeated(getattr(pipeline, name)))


class _Repeated:
    def __init__(self, estimate: Callable[..., Any]) -> None:
        self._estimate = estimate
        self._ready: Any = None

    def __call__(self, *arguments: Any, turn: Any = None, **others: Any) -> Any:
        if self._ready is None:
            self._ready = self._estimate(*arguments, **others)
        with turn or nullcontext():
            return self._ready


_MODELS = {"no-op": serve_no_op, "ready": serve_ready, "demo": serve_demo}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subject", choices=(*_MODELS, "network"))
    subject = parser.parse_args().subject
    logging.basicConfig(level=logging.WARNING)
    if subject == "network":
        run_network()
        return
    keep_large_blocks()
    limit_native_messages()
    options = ServerOptions(address="127.0.0.1:0")
    serve(_MODELS[subject], options, ready=lambda address: print(address, flush=True))


if __name__ == "__main__":
    main()
