"""A convolution with what follows it: batch normalisation or a bias, and ReLU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_server.models.errors import WrongWeightsError

_NORM_EPSILON = 1e-5  # PyTorch's default, which the networks were trained with


@dataclass(frozen=True, slots=True)
class Folded:
    """Weights and bias (outputs,) of a convolution with its normalisation folded into them."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Convolution:
    """`name` and `norm` are those of the state dict; without `norm` it has a bias of its own."""

    name: str
    norm: str | None
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    relu: bool = True
    transposed: bool = False

    @property
    def padding(self) -> int:
        return (self.kernel - 1) // 2

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What it has in a state dict, in its order."""
        channels = (self.outputs, self.inputs)
        if self.transposed:
            channels = (self.inputs, self.outputs)
        own = {f"{self.name}.weight": (*channels, self.kernel, self.kernel)}
        if self.norm is None:
            return own | {f"{self.name}.bias": (self.outputs,)}
        parts = ("weight", "bias", "running_mean", "running_var")
        return own | {f"{self.norm}.{part}": (self.outputs,) for part in parts}

    def folded(self, weights: Mapping[str, NDArray[Any]]) -> Folded:
        """Computed in float64; `WrongWeightsError` where the result is no finite float32."""
        kernel = weights[f"{self.name}.weight"]
        with np.errstate(all="ignore"):  # what comes of these is looked at below
            gain, bias = self._gain_and_bias(weights)
            by_output = (1, -1, 1, 1) if self.transposed else (-1, 1, 1, 1)
            folded = Folded(
                (kernel * gain.reshape(by_output)).astype(np.float32), bias.astype(np.float32)
            )
        if not (np.isfinite(folded.kernel).all() and np.isfinite(folded.bias).all()):
            raise WrongWeightsError(
                f"{self.name}: with {self.norm or 'its bias'} it has weights that are infinite or "
                "no number, want them finite; training may have diverged"
            )
        return folded

    def _gain_and_bias(
        self, weights: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.norm is None:
            return np.ones(self.outputs), weights[f"{self.name}.bias"].astype(np.float64)
        gain, bias, mean, variance = (
            weights[f"{self.norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gain / np.sqrt(variance + _NORM_EPSILON)
        return gain, bias - mean * gain
