"""Running a network: an image in, heatmaps and tags out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from posewire_server.models.errors import CompileError
from posewire_server.models.network import HEATMAPS, TAGS, last_line


@dataclass(frozen=True, slots=True, eq=False)
class NetworkOutput:
    """`heatmaps` (K, h, w) and `tags` (K, h, w) or (K, h, w, L), both float32 and C-contiguous."""

    heatmaps: NDArray[np.float32]
    tags: NDArray[np.float32]


class Runner(Protocol):
    """Runs one network."""

    def run(self, image: NDArray[np.uint8]) -> NetworkOutput:
        """What the network makes of an image (H, W, 3) that is already letterboxed.

        The output may be the runner's own memory: it holds until the next run.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerOptions:
    """Where and how OpenVINO runs a network; names and values are OpenVINO's own.

    `inference_precision_hint`: f32 gives the same answers on every processor; with bf16 or f16,
    where the processor has them, networks run faster and flat peaks become common.
    `inference_num_threads`: 0 leaves it to OpenVINO.
    """

    device: str = "CPU"
    performance_hint: Literal["LATENCY", "THROUGHPUT"] = "LATENCY"
    inference_precision_hint: Literal["f32", "bf16", "f16"] = "f32"
    inference_num_threads: int = 0


class OpenVinoRunner:
    """A network of `read_network`, compiled once for images of all sizes.

    On CPU that costs 2 % of the time of a compilation for one size (HigherHRNet-W32 at 448x256:
    265 against 259 ms on one thread), and half a second less when frames change their size.
    One request: not to be shared between threads.

    Raises `CompileError` if OpenVINO cannot run the network as the options want it.
    """

    def __init__(self, model: ov.Model, options: RunnerOptions | None = None) -> None:
        options = options or RunnerOptions()
        hints = {
            "PERFORMANCE_HINT": options.performance_hint,
            "INFERENCE_PRECISION_HINT": options.inference_precision_hint,
            "INFERENCE_NUM_THREADS": options.inference_num_threads,
        }
        core = ov.Core()
        try:
            compiled = core.compile_model(model, options.device, hints)
        except RuntimeError as error:
            raise CompileError(
                f"device {options.device} with {hints}: have devices "
                f"{', '.join(core.available_devices)}; {last_line(error)}"
            ) from error
        self._request = compiled.create_infer_request()

    def run(self, image: NDArray[np.uint8]) -> NetworkOutput:
        """The output is the request's own memory: read it before the next run."""
        # OpenVINO shares only memory that it may write to, although it never does.
        self._request.set_input_tensor(ov.Tensor(image[None], shared_memory=image.flags.writeable))
        self._request.infer()
        heatmaps, tags = (self._request.get_tensor(name).data[0] for name in (HEATMAPS, TAGS))
        return NetworkOutput(heatmaps, tags)
