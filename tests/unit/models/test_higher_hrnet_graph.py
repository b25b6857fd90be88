"""Properties of the network at any width, tested on a narrow one."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray
from openvino import opset13 as ops
from scipy.ndimage import maximum_filter

from posewire_server.models.errors import WrongWeightsError
from posewire_server.models.higher_hrnet import higher_hrnet
from posewire_server.models.higher_hrnet.pose_maps import pose_maps
from tests.reference.network import Network, with_outputs
from tests.reference.rule_weights import rule_weights, shapes_of_width

Weights = dict[str, NDArray[Any]]


@pytest.fixture
def weights() -> Weights:
    return dict(rule_weights(shapes_of_width(4).items()))


@pytest.fixture(scope="module")
def network() -> Network:
    """Compile the network with the outputs of its first layers added."""
    model = higher_hrnet(rule_weights(shapes_of_width(4).items()))
    return Network(with_outputs(model, ["centred_pixels", "conv1.relu"]))


def image_of(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (1, height, width, 3), np.uint8)


def test_input_and_outputs_have_names_types_and_dynamic_sizes(weights: Weights) -> None:
    model = higher_hrnet(weights)
    [image] = model.inputs
    assert image.get_names() == {"image"}
    assert image.get_element_type() == ov.Type.u8
    assert image.get_partial_shape() == ov.PartialShape([1, -1, -1, 3])
    assert [output.get_names() for output in model.outputs] == [{"heatmaps"}, {"embeddings"}]
    assert {output.get_element_type() for output in model.outputs} == {ov.Type.f32}
    model.reshape([1, 64, 96, 3])
    assert {tuple(output.shape) for output in model.outputs} == {(1, 17, 32, 48)}


@pytest.mark.parametrize(("height", "width"), [(64, 96), (96, 64)])
def test_a_dynamic_size_computes_the_same_as_a_fixed_one(
    weights: Weights, network: Network, height: int, width: int
) -> None:
    image = image_of(height, width)
    by_open_size = network.run(image)
    model = higher_hrnet(weights)
    model.reshape([1, height, width, 3])
    by_fixed_size = Network(model).run(image)
    assert by_fixed_size.keys() == {"heatmaps", "embeddings"}
    for name, values in by_fixed_size.items():
        np.testing.assert_allclose(by_open_size[name], values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(4, 32), (16, 16), (32, 48), (100, 96), (96, 33)])
def test_other_sides_are_refused_with_the_reason(
    weights: Weights, network: Network, height: int, width: int
) -> None:
    with pytest.raises(RuntimeError, match="sides of the image must be multiples of 32"):
        network.run(image_of(height, width))
    model = higher_hrnet(weights)
    with pytest.raises(RuntimeError, match="sides of the image must be multiples of 32"):
        model.reshape([1, height, width, 3])


def test_a_side_slightly_too_short_is_padded_with_the_mean(
    weights: Weights, network: Network
) -> None:
    answer = network.run(image_of(31, 64))
    assert answer["heatmaps"].shape == (1, 17, 16, 32)
    centred = np.pad(answer["centred_pixels"], [(0, 0), (0, 0), (0, 1), (0, 0)])
    wanted = conv1_of(centred[0, ::-1] / DEVIATION, weights)
    np.testing.assert_allclose(answer["conv1.relu"][0], wanted, rtol=1e-4, atol=1e-5)


MEAN = np.array([123.675, 116.28, 103.53]).reshape(3, 1, 1)
DEVIATION = np.array([58.395, 57.12, 57.375]).reshape(3, 1, 1)


def test_pixels_are_normalised_before_the_border_is_padded(
    weights: Weights, network: Network
) -> None:
    image = image_of(32, 64)
    answer = network.run(image)
    red_green_blue = image[0, :, :, ::-1].transpose(2, 0, 1)
    wanted = conv1_of((red_green_blue - MEAN) / DEVIATION, weights)
    np.testing.assert_allclose(answer["conv1.relu"][0], wanted, rtol=1e-4, atol=1e-5)


def conv1_of(pixels: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Compute the first convolution with normalisation and ReLU in NumPy."""
    _, height, width = pixels.shape
    padded = np.pad(pixels, [(0, 0), (1, 1), (1, 1)])
    features = sum(
        np.tensordot(
            weights["conv1.weight"][:, :, y, x], padded[:, y : y + height : 2, x : x + width : 2], 1
        )
        for y, x in np.ndindex(3, 3)
    )
    gain, shift, mean, variance = (
        weights[f"bn1.{part}"].reshape(-1, 1, 1)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return np.maximum((features - mean) / np.sqrt(variance + 1e-5) * gain + shift, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_weights_may_have_another_float_type(weights: Weights, dtype: type) -> None:
    rounded = {name: values.astype(dtype) for name, values in weights.items()}
    same = {name: values.astype(np.float32) for name, values in rounded.items()}
    for got, wanted in zip(constants_of(rounded), constants_of(same), strict=True):
        np.testing.assert_array_equal(got, wanted, strict=True)


def constants_of(weights: Weights) -> list[NDArray[Any]]:
    nodes = higher_hrnet(weights).get_ordered_ops()
    return [node.get_data() for node in nodes if node.get_type_name() == "Constant"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("layer1.0.conv1.weight", np.nan),
        ("stage2.0.branches.1.0.bn2.running_var", -1.0),
        ("deconv_layers.0.0.1.running_mean", np.inf),
        ("final_layers.1.bias", np.nan),
    ],
)
def test_weights_that_are_not_finite_are_refused(weights: Weights, name: str, value: float) -> None:
    weights[name] = weights[name].copy()
    weights[name].flat[-1] = value
    layer = name.rsplit(".", 1)[0].replace("bn2", "conv2").replace("0.0.1", "0.0.0")
    with pytest.raises(WrongWeightsError, match=rf"^{layer}: .*want them finite"):
        higher_hrnet(weights)


def maps_of(
    quarter: NDArray[np.float32], half: NDArray[np.float32]
) -> tuple[NDArray[Any], NDArray[Any]]:
    inputs = [ops.parameter(values.shape, np.float32) for values in (quarter, half)]
    answer = Network(ov.Model(pose_maps(*inputs), inputs, "head")).run(quarter, half)
    return answer["heatmaps"], answer["embeddings"]


def double(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Double the size linearly: each cell becomes 2x2, a quarter of the way to its neighbours."""
    for axis in (-2, -1):
        cells = np.moveaxis(maps, axis, 0).astype(np.float64)
        before = np.concatenate([cells[:1], cells[:-1]])
        after = np.concatenate([cells[1:], cells[-1:]])
        pairs = np.stack([0.75 * cells + 0.25 * before, 0.75 * cells + 0.25 * after], axis=1)
        maps = np.moveaxis(pairs.reshape(-1, *cells.shape[1:]), 0, axis)
    return maps


def test_maps_are_the_mean_of_both_sizes_with_all_but_peaks_negated() -> None:
    rng = np.random.default_rng(5)
    # Multiples of 1/8 add up exactly, which gives plateaus.
    quarter = rng.integers(-8, 9, (1, 34, 6, 9)).astype(np.float32)
    half = (rng.integers(-64, 65, (1, 17, 12, 18)) / 8).astype(np.float32)
    heatmaps, tags = maps_of(quarter, half)
    np.testing.assert_allclose(tags, double(quarter)[:, 17:], rtol=1e-6, atol=1e-6)
    heat = np.maximum((double(quarter)[:, :17] + half) / 2, 0)
    highest = maximum_filter(heat, (1, 1, 5, 5), mode="constant")
    np.testing.assert_allclose(heatmaps, np.where(heat == highest, heat, -heat), atol=1e-6)
    assert (heatmaps > 0).any()
    assert (heatmaps < 0).any()


def test_all_cells_of_a_plateau_are_peaks_even_at_the_border() -> None:
    half = np.zeros((1, 17, 12, 18), np.float32)
    half[0, 0, :2, :2] = 1.0
    half[0, 0, 2, 2] = 0.5
    heatmaps, _ = maps_of(np.zeros((1, 34, 6, 9), np.float32), half)
    wanted = np.zeros((12, 18))
    wanted[:2, :2] = 0.5
    wanted[2, 2] = -0.25
    np.testing.assert_array_equal(heatmaps[0, 0], wanted)
    np.testing.assert_array_equal(heatmaps[0, 1:], 0)
