"""Building HigherHRNet from OpenVINO operations and a PyTorch state dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from posewire_server.models.higher_hrnet.architecture import Fusion, Module, Path, Residual, Stage
from posewire_server.models.higher_hrnet.convolution import Convolution
from posewire_server.models.higher_hrnet.image_input import (
    adapt_kernel,
    centre_pixels,
    image_parameter,
)
from posewire_server.models.higher_hrnet.pose_maps import pose_maps, upsample
from posewire_server.models.higher_hrnet.state_dict_layout import architecture_of


def higher_hrnet(weights: Mapping[str, NDArray[Any]]) -> ov.Model:
    """Build the network of a state dict of any width, with normalisation folded in.

    Input `image`: uint8 (1, H, W, 3), channels B, G, R, both sides multiples of 32. Outputs
    `heatmaps` and `embeddings`: float32 (1, 17, H/2, W/2), see `pose_maps`. With other sides,
    `reshape` and inference fail at an addition whose name gives the reason; only a side 1 to 3
    pixels short of a multiple passes, as if padded with the mean colour.

    Raises `WrongWeightsError` unless `weights` has exactly HigherHRNet's tensors, of any float
    type; `num_batches_tracked` is optional.
    """
    architecture = architecture_of(weights)
    first = f"{architecture.stem[0].name}.weight"
    graph = _Graph({**weights, first: adapt_kernel(weights[first])})
    image = image_parameter()
    features = graph.chain(centre_pixels(image), architecture.stem)
    features = graph.residuals(features, architecture.layer1)
    branches = [features]
    for stage in architecture.stages:
        branches = graph.stage(branches, stage)
    quarter_maps = graph.convolution(branches[0], architecture.quarter_maps)
    features = ops.concat([branches[0], quarter_maps], axis=1)
    features = graph.convolution(features, architecture.deconvolution)
    features = graph.residuals(features, architecture.blocks)
    half_maps = graph.convolution(features, architecture.half_maps)
    return ov.Model(pose_maps(quarter_maps, half_maps), [image], architecture.name)


class _Graph:
    """Adds layers to a graph; nodes have the names of the state dict."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self._weights = weights

    def convolution(self, features: ov.Node, layer: Convolution) -> ov.Node:
        folded = layer.fold(self._weights)
        convolved = _convolve(features, ops.constant(folded.kernel), layer)
        bias = ops.constant(folded.bias.reshape(1, -1, 1, 1))
        biased = ops.add(convolved, bias, name=f"{layer.name}.bias")
        return ops.relu(biased, name=f"{layer.name}.relu") if layer.relu else biased

    def chain(self, features: ov.Node, layers: Sequence[Convolution]) -> ov.Node:
        for layer in layers:
            features = self.convolution(features, layer)
        return features

    def residuals(self, features: ov.Node, blocks: Sequence[Residual]) -> ov.Node:
        for block in blocks:
            changed = self.chain(features, block.convolutions)
            shortcut = self.convolution(features, block.shortcut) if block.shortcut else features
            features = ops.relu(ops.add(changed, shortcut))
        return features

    def stage(self, branches: Sequence[ov.Node], stage: Stage) -> list[ov.Node]:
        branches = [
            self._enter(branches[min(index, len(branches) - 1)], transition)
            for index, transition in enumerate(stage.transitions)
        ]
        for module in stage.modules:
            branches = self._module(branches, module)
        return branches

    def _enter(self, branch: ov.Node, transition: Convolution | None) -> ov.Node:
        return self.convolution(branch, transition) if transition else branch

    def _module(self, branches: Sequence[ov.Node], module: Module) -> list[ov.Node]:
        features = [
            self.residuals(branch, blocks)
            for branch, blocks in zip(branches, module.branches, strict=True)
        ]
        return [self._fuse(features, fusion) for fusion in module.fusions]

    def _fuse(self, branches: Sequence[ov.Node], fusion: Fusion) -> ov.Node:
        total, *others = (
            self._path(branch, path) for branch, path in zip(branches, fusion.paths, strict=True)
        )
        for index, other in enumerate(others, 1):
            total = ops.add(total, other)
            total.set_friendly_name(
                f"{fusion.name}.sum{index} (both sides of the image must be multiples of 32)"
            )
        return ops.relu(total, name=f"{fusion.name}.relu")

    def _path(self, branch: ov.Node, path: Path) -> ov.Node:
        features = self.chain(branch, path.convolutions)
        if path.upsampling == 1:
            return features
        return upsample(features, path.upsampling, mode="nearest")


def _convolve(features: ov.Node, kernel: ov.Node, layer: Convolution) -> ov.Node:
    strides = [layer.stride] * 2
    pads = [layer.padding] * 2
    if layer.transposed:
        return ops.convolution_backprop_data(
            features, kernel, strides, pads_begin=pads, pads_end=pads, name=layer.name
        )
    return ops.convolution(features, kernel, strides, pads, pads, [1, 1], name=layer.name)
