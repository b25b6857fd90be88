"""Running networks on the CPU in full precision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

# CPUs with bfloat16 would use it, and it has only three digits.
_SETTINGS = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": "2"}


class Network:
    """A compiled model."""

    def __init__(self, model: ov.Model) -> None:
        self._compiled = ov.Core().compile_model(model, "CPU", _SETTINGS)

    def run(self, *inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the outputs by name."""
        answer = self._compiled([np.ascontiguousarray(values) for values in inputs])
        return {output.get_any_name(): values.copy() for output, values in answer.items()}


def with_outputs(model: ov.Model, nodes: Iterable[str]) -> ov.Model:
    """Copy the model and add the outputs of these nodes, by name."""
    copy = model.clone()
    by_name = {node.get_friendly_name(): node for node in copy.get_ops()}
    for name in nodes:
        [output] = by_name[name].outputs()
        output.get_tensor().set_names({name})
        copy.add_outputs(output)
    return copy
