"""Running a network: an image in, heatmaps and tags out."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter
from typing import Literal, Protocol, TypeVar

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from posewire_server.cpu_quota import cpu_quota
from posewire_server.models.errors import CompileError
from posewire_server.models.network import HEATMAPS, TAGS, last_line

T = TypeVar("T")

WeightsType = Literal["f32", "f16", "i8"]


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutput:
    """`heatmaps` (K, h, w) and `tags` (K, h, w) or (K, h, w, L), both float32 and C-contiguous."""

    heatmaps: NDArray[np.float32]
    tags: NDArray[np.float32]
    inference_secs: float


class Runner(Protocol):
    """Runs one network, on several images at a time if that is quicker."""

    @property
    def capacity(self) -> int:
        """How many images run at the same time; more than that wait in the order they came."""
        ...

    def submit(self, image: NDArray[np.uint8], finish: Callable[[NetworkOutput], T]) -> Future[T]:
        """What `finish` makes of the network's output for a letterboxed image (H, W, 3).

        The output is the runner's own memory and holds only while `finish` runs, in a thread of
        the runner's. A future that is cancelled before its image's turn costs no inference.
        """
        ...

    def close(self) -> None:
        """Waits for what runs and cancels what waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerOptions:
    """Where and how OpenVINO runs a network; names and values are OpenVINO's own.

    `inference_precision_hint`: f32 gives the same answers on every processor; with bf16 or f16,
    where the processor has them, networks run faster and flat peaks become common.
    `inference_num_threads`: 0 leaves it to OpenVINO, within the quota of the container's control
    group, of which OpenVINO knows nothing.
    `num_streams`: how many images share the processor; 0 leaves it to the performance hint.
    `cache_dir`: where OpenVINO keeps compiled networks, so that the next start is quicker.
    """

    device: str = "CPU"
    performance_hint: Literal["LATENCY", "THROUGHPUT"] = "LATENCY"
    inference_precision_hint: Literal["f32", "bf16", "f16"] = "f32"
    inference_num_threads: int = 0
    num_streams: int = 0
    cache_dir: Path | None = None

    def properties(self, *, quota: float | None) -> dict[str, str | int]:
        """What OpenVINO is told; `quota` is the processors' worth of time there is."""
        properties: dict[str, str | int] = {
            "PERFORMANCE_HINT": self.performance_hint,
            "INFERENCE_PRECISION_HINT": self.inference_precision_hint,
        }
        threads = self.inference_num_threads or self._threads_within(quota)
        if threads:
            properties["INFERENCE_NUM_THREADS"] = threads
        if self.num_streams:
            properties["NUM_STREAMS"] = self.num_streams
        if self.cache_dir is not None:
            properties["CACHE_DIR"] = os.fspath(self.cache_dir)
        return properties

    def _threads_within(self, quota: float | None) -> int:
        """0 if OpenVINO's own choice is within the quota, or another device runs the network."""
        if self.device != "CPU" or quota is None or quota >= len(os.sched_getaffinity(0)):
            return 0
        return max(1, int(quota))


class OpenVinoRunner:
    """A network of `read_network`, compiled once for images of all sizes.

    On CPU that costs 2 % of the time of a compilation for one size (HigherHRNet-W32 at 448x256:
    265 against 259 ms on one thread), and saves 0.9 s whenever a frame has a new size. So there is
    no cache of compilations by size: this one serves every aspect without padding to a square.

    It holds as many asynchronous requests as OpenVINO finds best. May be shared between threads.

    Raises `CompileError` if OpenVINO cannot run the network as the options want it.
    """

    def __init__(self, model: ov.Model, options: RunnerOptions | None = None) -> None:
        compiled = _compiled(model, options or RunnerOptions())
        self._capacity = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(self._capacity):
            self._idle.put(compiled.create_infer_request())
        # Requests call back in OpenVINO's threads too, but not when they fail.
        self._threads = ThreadPoolExecutor(self._capacity, thread_name_prefix="runner")

    @property
    def capacity(self) -> int:
        return self._capacity

    def submit(self, image: NDArray[np.uint8], finish: Callable[[NetworkOutput], T]) -> Future[T]:
        return self._threads.submit(self._run, image, finish)

    def run(self, image: NDArray[np.uint8]) -> NetworkOutput:
        """The output for one image, copied."""
        return self.submit(image, _copied).result()

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _run(self, image: NDArray[np.uint8], finish: Callable[[NetworkOutput], T]) -> T:
        request = self._idle.get_nowait()  # there are as many as threads
        try:
            return finish(_inferred(request, image))
        finally:
            self._idle.put(request)


def weights_type(model: ov.Model) -> WeightsType:
    """The number format that most of the network's weights have."""
    counts: Counter[str] = Counter()
    for node in model.get_ops():
        if node.get_type_name() == "Constant":
            counts[node.get_element_type().get_type_name()] += math.prod(node.shape)
    known: tuple[WeightsType, ...] = ("f32", "f16", "i8")
    return max(known, key=lambda each: counts[each])


def _compiled(model: ov.Model, options: RunnerOptions) -> ov.CompiledModel:
    properties = options.properties(quota=cpu_quota())
    core = ov.Core()
    try:
        return core.compile_model(model, options.device, properties)
    except RuntimeError as error:
        raise CompileError(
            f"device {options.device} with {properties}: have devices "
            f"{', '.join(core.available_devices)}; {last_line(error)}"
        ) from error


def _inferred(request: ov.InferRequest, image: NDArray[np.uint8]) -> NetworkOutput:
    start = perf_counter()
    # OpenVINO shares only memory that it may write to, although it never does.
    request.set_input_tensor(ov.Tensor(image[None], shared_memory=image.flags.writeable))
    request.start_async()
    request.wait()
    heatmaps, tags = (request.get_tensor(name).data[0] for name in (HEATMAPS, TAGS))
    return NetworkOutput(heatmaps, tags, perf_counter() - start)


def _copied(output: NetworkOutput) -> NetworkOutput:
    return NetworkOutput(output.heatmaps.copy(), output.tags.copy(), output.inference_secs)
