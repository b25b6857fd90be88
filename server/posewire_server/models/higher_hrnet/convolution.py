"""A convolution with its batch normalisation or bias, and ReLU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_server.models.errors import WrongWeightsError

_NORM_EPSILON = 1e-5  # PyTorch's default, used in training


@dataclass(frozen=True, slots=True)
class FoldedWeights:
    """Kernel and bias (outputs,) of a convolution, with its normalisation folded in."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Convolution:
    """`name` and `norm` are those of the state dict; without `norm` it has a bias."""

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
        """Return the shapes of its tensors by name, in the order of the state dict."""
        channels = (self.outputs, self.inputs)
        if self.transposed:
            channels = (self.inputs, self.outputs)
        own = {f"{self.name}.weight": (*channels, self.kernel, self.kernel)}
        if self.norm is None:
            return own | {f"{self.name}.bias": (self.outputs,)}
        parts = ("weight", "bias", "running_mean", "running_var")
        return own | {f"{self.norm}.{part}": (self.outputs,) for part in parts}

    def fold(self, weights: Mapping[str, NDArray[Any]]) -> FoldedWeights:
        """Fold in float64; raise `WrongWeightsError` unless the result is finite in float32."""
        kernel = weights[f"{self.name}.weight"]
        with np.errstate(all="ignore"):  # the results are checked below
            gain, bias = self._gain_and_bias(weights)
            by_output = (1, -1, 1, 1) if self.transposed else (-1, 1, 1, 1)
            folded = FoldedWeights(
                (kernel * gain.reshape(by_output)).astype(np.float32), bias.astype(np.float32)
            )
        if not (np.isfinite(folded.kernel).all() and np.isfinite(folded.bias).all()):
            raise WrongWeightsError(
                f"{self.name}: got infinite or NaN weights, {self.norm or 'its bias'} folded in, "
                "want them finite; training may have diverged"
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
