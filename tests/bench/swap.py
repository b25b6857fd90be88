"""What a swap of models costs the calls in progress: their latency during swaps and before.

Prints a Markdown table: run it through `make bench-swap`, with nothing else on the machine. The
server is `posewire serve` with the bundled network in files of its own. Each swap adds a comment to
them, which makes them another model, and sends SIGHUP; it ends when the server names the new
version. Callers send one image after the other all the time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import grpc

from posewire.v1 import image_pb2
from posewire.v1 import pose_service_pb2 as messages
from posewire.v1.pose_service_pb2_grpc import PoseServiceStub
from posewire_server.models.installed import installed_model
from posewire_server.sample import STILL
from tests.bench.machine import measured_on
from tests.reference.server_process import ServerProcess

_TIMEOUT_SECS = 60


@dataclass(slots=True)
class Callers:
    """Callers that send one image after the other: when each call began and how long it took."""

    calls: list[tuple[float, float]] = field(default_factory=list)
    errors: list[grpc.RpcError] = field(default_factory=list)
    is_over: bool = False

    def run(self, address: str, request: messages.EstimatePosesRequest) -> None:
        with grpc.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            stub = PoseServiceStub(channel)
            while not self.is_over:
                began = time.perf_counter()
                try:
                    stub.EstimatePoses(request, timeout=_TIMEOUT_SECS)
                except grpc.RpcError as error:
                    self.errors.append(error)
                self.calls.append((began, time.perf_counter() - began))

    def latencies(self, spans: list[tuple[float, float]]) -> list[float]:
        """Return the latency of every call that was in progress during one of these spans."""
        return [
            secs
            for began, secs in self.calls
            if any(began < end and began + secs > start for start, end in spans)
        ]


@contextmanager
def serving(model: Path) -> Iterator[ServerProcess]:
    command = [sys.executable, "-m", "posewire_cli", "serve", "--model", str(model)]
    options = ["--address", "127.0.0.1:0", "--metrics-address", "none"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield ServerProcess(process.stdout.readline().split()[-1], process)
        finally:
            process.terminate()


def swap(server: ServerProcess, model: Path, number: int) -> tuple[float, float]:
    """Replace the model and return when that began and ended."""
    with grpc.insecure_channel(server.address) as channel:
        stub = PoseServiceStub(channel)

        def version() -> str:
            request = messages.GetModelRequest()
            return stub.GetModel(request, timeout=_TIMEOUT_SECS).model.version

        before, began = version(), time.perf_counter()
        with model.open("a") as file:
            file.write(f"<!-- {number} -->\n")
        os.kill(server.pid, signal.SIGHUP)
        while version() == before:
            assert time.perf_counter() < began + _TIMEOUT_SECS, "the model was not swapped"
            time.sleep(0.02)
        return began, time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--swaps", type=int, default=10)
    parser.add_argument("--secs", type=float, default=3.0, help="of rest before each swap")
    arguments = parser.parse_args()
    encoded = image_pb2.EncodedImage(data=STILL.read_bytes())
    request = messages.EstimatePosesRequest(image=image_pb2.Image(encoded=encoded))
    source, callers = installed_model("demo").path, Callers()
    steady: list[tuple[float, float]] = []
    swaps: list[tuple[float, float]] = []
    memory: list[float] = []
    with TemporaryDirectory() as folder:
        model = Path(folder) / "model.xml"
        for suffix in (".xml", ".bin"):
            shutil.copyfile(source.with_suffix(suffix), model.with_suffix(suffix))
        with serving(model) as server:
            threads = [
                threading.Thread(target=callers.run, args=(server.address, request))
                for _ in range(arguments.callers)
            ]
            for thread in threads:
                thread.start()
            time.sleep(1)  # the first calls, which connect
            for number in range(arguments.swaps):
                began = time.perf_counter()
                time.sleep(arguments.secs)
                steady.append((began, time.perf_counter()))
                memory.append(server.resident_bytes / 1e6)
                swaps.append(swap(server, model, number))
            callers.is_over = True
            for thread in threads:
                thread.join()
    print(f"{measured_on()}, {arguments.callers} callers, {arguments.swaps} swaps.\n")
    print("| | calls | p50 (ms) | p99 (ms) |\n|---|---|---|---|")
    p99 = {}
    for name, spans in (("steady", steady), ("during a swap", swaps)):
        latencies = [1000 * each for each in callers.latencies(spans)]
        p99[name] = quantiles(latencies, n=100)[98]
        print(f"| {name} | {len(latencies)} | {median(latencies):.1f} | {p99[name]:.1f} |")
    took = median(end - began for began, end in swaps)
    print(
        f"\nA swap takes {took:.2f} s, and its p99 is {p99['during a swap'] / p99['steady']:.2f} "
        f"times the steady one. Failed calls: {len(callers.errors)} of {len(callers.calls)}. "
        f"Memory before each swap: {', '.join(f'{each:.0f}' for each in memory)} MB."
    )


if __name__ == "__main__":
    main()
