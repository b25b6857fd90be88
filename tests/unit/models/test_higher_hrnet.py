"""HigherHRNet-W32 and -W48 at full size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from posewire_server.models.higher_hrnet import higher_hrnet
from tests.reference.network import Network, with_outputs
from tests.reference.rule_weights import official_shapes, rule_weights, shapes_of_width

GOLDEN = Path(__file__).parents[2] / "golden/w32_network_rule1001.npz"


@pytest.fixture(scope="module")
def w32() -> ov.Model:
    return higher_hrnet(rule_weights(official_shapes().items()))


def relative_error(got: NDArray[Any], want: NDArray[Any]) -> float:
    """Return the largest difference, relative to the largest value."""
    assert got.shape == want.shape
    return float(np.abs(got - want).max() / np.abs(want).max())


def test_w32_computes_what_the_official_network_does(w32: ov.Model) -> None:
    network = Network(w32)
    with np.load(GOLDEN) as golden:
        for index in range(2):
            maps = network.run(golden[f"image_bgr_{index}"].transpose(0, 2, 3, 1))
            heatmaps, tags = golden[f"heatmaps_{index}"], golden[f"embeddings_{index}"]
            assert relative_error(maps["embeddings"], tags) < 1e-4
            assert relative_error(np.abs(maps["heatmaps"]), np.abs(heatmaps)) < 1e-4
            # If two of the 5x5 cells differ only by rounding, either may be the peak.
            other_sign = np.sign(maps["heatmaps"]) != np.sign(heatmaps)
            assert other_sign.mean() < 1e-4


def test_w32_has_the_published_number_of_weights_and_biases(w32: ov.Model) -> None:
    folded = [
        source.get_data()
        for node in w32.get_ops()
        for source in [input_.get_source_output().get_node() for input_ in node.inputs()]
        if source.get_type_name() == "Constant" and is_weight_or_bias(node, source)
    ]
    assert {values.dtype for values in folded} == {np.dtype(np.float32)}
    assert sum(values.size for values in folded) == 28_617_875
    assert len(folded) == 2 * 303  # there are 302 convolutions and a transposed one


def is_weight_or_bias(node: ov.Node, constant: ov.Node) -> bool:
    if node.get_type_name() in ("Convolution", "ConvolutionBackpropData"):
        return True
    return node.get_type_name() == "Add" and len(constant.shape) == 4


def test_w32_has_as_many_multiplications_as_the_official_network(w32: ov.Model) -> None:
    fixed = w32.clone()
    fixed.reshape([1, 512, 512, 3])
    counts = {"Convolution": 0, "ConvolutionBackpropData": 0}
    for node in fixed.get_ops():
        if node.get_type_name() in counts:
            counts[node.get_type_name()] += multiplications(node)
    assert counts["ConvolutionBackpropData"] == 553_648_128
    assert sum(counts.values()) == pytest.approx(46.203e9, abs=0.001e9)


def multiplications(node: ov.Node) -> int:
    """Count one use of each weight for each cell of the output, or of the input if transposed."""
    transposed = node.get_type_name() == "ConvolutionBackpropData"
    cells = node.input(0).get_shape()[2:] if transposed else node.output(0).get_shape()[2:]
    return math.prod(cells) * math.prod(node.input(1).get_shape())


W48 = shapes_of_width(48)


def test_w48_has_the_layout_of_w32_with_wider_branches() -> None:
    wider = {32: 48, 64: 96, 128: 192, 256: 384, 32 + 34: 48 + 34}

    def widened(name: str, shape: Iterable[int]) -> tuple[int, ...]:
        if name.startswith(("conv", "bn", "layer1.")):
            return tuple(shape)
        if name in ("transition1.0.0.weight", "transition1.1.0.0.weight"):
            outputs, *others = shape
            return (wider[outputs], *others)
        return tuple(wider.get(length, length) for length in shape)

    wanted = {
        name: widened(name, shape)
        for name, shape in official_shapes().items()
        if not name.endswith("num_batches_tracked")
    }
    assert list(W48.items()) == list(wanted.items())
    # from table 2 of the paper
    learned = [shape for name, shape in W48.items() if ".running_" not in f".{name}"]
    assert sum(map(math.prod, learned)) == pytest.approx(63.8e6, abs=0.05e6)


def test_w48_runs_and_its_deconvolution_takes_features_before_maps() -> None:
    weights = rule_weights(W48.items())
    inside = ("stage4.2.fuse_layers.0.relu", "final_layers.0.bias", "deconv_layers.0.0.0.relu")
    network = Network(with_outputs(higher_hrnet(weights), inside))
    for height, width in ((64, 96), (96, 64)):
        image = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
        answer = network.run(image)
        features, maps, deconvolved = (answer[name][0] for name in inside)
        assert features.shape == (48, height // 4, width // 4)
        assert maps.shape == (34, height // 4, width // 4)
        together = np.concatenate([features, maps]).astype(np.float64)
        wanted = np.maximum(normalise(transpose(together, weights), weights), 0)
        assert relative_error(deconvolved, wanted) < 1e-5
        assert answer["heatmaps"].shape == (1, 17, height // 2, width // 2)
        assert answer["embeddings"].shape == (1, 17, height // 2, width // 2)


def transpose(
    features: NDArray[np.float64], weights: dict[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    """Add each cell to 4x4 cells of the finer grid, starting one before its own 2x2."""
    kernel = weights["deconv_layers.0.0.0.weight"]
    _, height, width = features.shape
    painted = np.zeros((kernel.shape[1], 2 * height + 2, 2 * width + 2))
    for y, x in np.ndindex(4, 4):
        taps = np.tensordot(kernel[:, :, y, x], features, axes=(0, 0))
        painted[:, y : y + 2 * height : 2, x : x + 2 * width : 2] += taps
    return painted[:, 1:-1, 1:-1]


def normalise(
    features: NDArray[np.float64], weights: dict[str, NDArray[np.float32]]
) -> NDArray[np.float64]:
    gain, shift, mean, variance = (
        weights[f"deconv_layers.0.0.1.{part}"].reshape(-1, 1, 1)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (features - mean) / np.sqrt(variance + 1e-5) * gain + shift
