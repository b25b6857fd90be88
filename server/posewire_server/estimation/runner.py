"""Runner: an image in, heatmaps and tags out."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, NamedTuple, Protocol

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from posewire_server.estimation.cpu_quota import cpu_quota
from posewire_server.models.errors import CompileError
from posewire_server.models.network import HEATMAPS, TAGS, last_line

WeightsType = Literal["f32", "f16", "i8"]


# How many input sizes OpenVINO caches kernels for. With its default of 5000, frames of 114 aspects
# cost the demo network 1.6 GB; with this limit 0.5 GB, at the same speed.
_CACHED_SHAPES = 16


class NetworkOutput(NamedTuple):
    """`heatmaps` (K, h, w) and `tags` (K, h, w) or (K, h, w, L), both float32 and C-contiguous."""

    heatmaps: NDArray[np.float32]
    tags: NDArray[np.float32]


Infer = Callable[[NDArray[np.uint8]], NetworkOutput]


class Runner(Protocol):
    """Runs one network, on several images at a time if that is faster."""

    @property
    def capacity(self) -> int:
        """How many images run at the same time."""
        ...

    def request(self) -> AbstractContextManager[Infer]:
        """Wait for one of `capacity` requests, and hold it for the block.

        Yields a function from a letterboxed image (H, W, 3) to the network's output. The
        output is the request's own memory: it is valid until the next call or the end of the block.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerOptions:
    """Where and how OpenVINO runs a network; names and values are OpenVINO's.

    `inference_precision_hint`: f32 gives the same results on every processor; with bf16 or f16,
    where the processor has them, networks run faster and flat peaks become common.
    `inference_num_threads`: 0 leaves it to OpenVINO, within the CPU quota of the container's
    control group, which OpenVINO ignores. `num_streams`: images that share the processor; 0 leaves
    it to the performance hint. `cache_dir`: where OpenVINO keeps compiled networks for a faster
    start.
    """

    device: str = "CPU"
    performance_hint: Literal["LATENCY", "THROUGHPUT"] = "LATENCY"
    inference_precision_hint: Literal["f32", "bf16", "f16"] = "f32"
    inference_num_threads: int = 0
    num_streams: int = 0
    cache_dir: Path | None = None

    def properties(self, *, quota: float | None) -> dict[str, str | int]:
        """Return OpenVINO's properties; `quota` is the CPU quota in processors."""
        properties: dict[str, str | int] = {
            "PERFORMANCE_HINT": self.performance_hint,
            "INFERENCE_PRECISION_HINT": self.inference_precision_hint,
        }
        threads = self.inference_num_threads or self._threads_within(quota)
        if threads:
            properties["INFERENCE_NUM_THREADS"] = threads
        if self.device == "CPU":
            properties["CPU_RUNTIME_CACHE_CAPACITY"] = _CACHED_SHAPES
        if self.num_streams:
            properties["NUM_STREAMS"] = self.num_streams
        if self.cache_dir is not None:
            properties["CACHE_DIR"] = os.fspath(self.cache_dir)
        return properties

    def limit_threads(self, processes: int) -> RunnerOptions:
        """Return the options for one of several processes, each with processors of its own."""
        if self.inference_num_threads or self.device != "CPU":
            return self
        cpus, quota = len(os.sched_getaffinity(0)), cpu_quota()
        threads = cpus if quota is None else min(cpus, int(quota / processes))
        return replace(self, inference_num_threads=max(1, threads))

    def _threads_within(self, quota: float | None) -> int:
        """Return 0 if OpenVINO's choice is within the quota, or the device is not the CPU."""
        if self.device != "CPU" or quota is None or quota >= len(os.sched_getaffinity(0)):
            return 0
        return max(1, int(quota))


class OpenVinoRunner:
    """A network of `read_network`, compiled once for images of all sizes.

    On a CPU it is 2 % slower than a network compiled for one size (HigherHRNet-W32 at 448x256: 265
    against 259 ms on one thread), but a frame of a new size does not need 0.9 s of compilation.
    Every aspect runs without padding to a square.

    It holds as many asynchronous requests as OpenVINO recommends. Threads may share it. Raises
    `CompileError` if OpenVINO cannot run the network with these options.
    """

    def __init__(self, model: ov.Model, options: RunnerOptions | None = None) -> None:
        compiled = _compile(model, options or RunnerOptions())
        self._capacity = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(self._capacity):
            self._idle.put(compiled.create_infer_request())

    @property
    def capacity(self) -> int:
        return self._capacity

    @contextmanager
    def request(self) -> Iterator[Infer]:
        request = self._idle.get()
        try:
            yield partial(_infer, request)
        finally:
            self._idle.put(request)

    def run(self, image: NDArray[np.uint8]) -> NetworkOutput:
        """Run one image and copy the output."""
        with self.request() as infer:
            heatmaps, tags = infer(image)
            return NetworkOutput(heatmaps.copy(), tags.copy())


def weights_type(model: ov.Model) -> WeightsType:
    """Return the number format of most of the network's weights."""
    counts: Counter[str] = Counter()
    for node in model.get_ops():
        if node.get_type_name() == "Constant":
            counts[node.get_element_type().get_type_name()] += math.prod(node.shape)
    known: tuple[WeightsType, ...] = ("f32", "f16", "i8")
    return max(known, key=lambda each: counts[each])


def _compile(model: ov.Model, options: RunnerOptions) -> ov.CompiledModel:
    properties = options.properties(quota=cpu_quota())
    core = ov.Core()
    try:
        return core.compile_model(model, options.device, properties)
    except RuntimeError as error:
        raise CompileError(
            f"device {options.device} with {properties}: have devices "
            f"{', '.join(core.available_devices)}; {last_line(error)}"
        ) from error


def _infer(request: ov.InferRequest, image: NDArray[np.uint8]) -> NetworkOutput:
    # OpenVINO shares only writable memory, although it never writes to an input.
    request.set_input_tensor(ov.Tensor(image[None], shared_memory=image.flags.writeable))
    request.start_async()
    request.wait()
    heatmaps, tags = (request.get_tensor(name).data[0] for name in (HEATMAPS, TAGS))
    return NetworkOutput(heatmaps, tags)
