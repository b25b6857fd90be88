"""Recognising HigherHRNet's state dicts, and the errors for others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_server.models.errors import CheckpointError, WrongWeightsError
from posewire_server.models.higher_hrnet.state_dict_layout import architecture_of
from tests.reference.rule_weights import official_shapes, shapes_of_width

Weights = dict[str, NDArray[Any]]


def weights_of(width: int) -> Weights:
    return {name: np.ones(shape, np.float32) for name, shape in shapes_of_width(width).items()}


@pytest.fixture
def weights() -> Weights:
    return weights_of(2)


def message(weights: Weights) -> str:
    with pytest.raises(WrongWeightsError) as raised:
        architecture_of(weights)
    return str(raised.value)


def test_names_shapes_and_order_are_those_of_the_official_checkpoint() -> None:
    wanted = {
        name: shape
        for name, shape in official_shapes().items()
        if not name.endswith("num_batches_tracked")
    }
    assert list(shapes_of_width(32).items()) == list(wanted.items())


@pytest.mark.parametrize("width", [1, 2, 6])
def test_the_width_comes_from_the_shapes(width: int) -> None:
    architecture = architecture_of(weights_of(width))
    assert architecture.name == f"higher-hrnet-w{width}"
    assert architecture.half_maps.outputs == 17


def test_batch_counters_are_optional() -> None:
    counters = [name for name in official_shapes() if name.endswith("num_batches_tracked")]
    assert len(counters) == 301
    weights = weights_of(2) | dict.fromkeys(counters, np.array(3))
    assert architecture_of(weights).width == 2


def test_all_faults_come_in_one_message(weights: Weights) -> None:
    missing = [name for name in weights if name.startswith("stage3.2.fuse_layers.2.")]
    for name in missing:
        del weights[name]
    weights["head.weight"] = np.ones(3, np.float32)
    weights["head.num_batches_tracked"] = np.array(1)
    weights["conv1.weight"] = np.ones((64, 3, 7, 7), np.float32)
    weights["bn2.bias"] = np.ones((), np.float32)
    weights["final_layers.1.bias"] = np.ones(17, np.int64)
    count = len(shapes_of_width(2))
    assert message(weights) == (
        f"{count - len(missing) + 2} tensors, want the {count} of HigherHRNet-W2 with 17 keypoints:"
        f" {len(missing)} missing ({', '.join(missing[:4])} and {len(missing) - 4} more);"
        " 2 extra ('head.weight', 'head.num_batches_tracked');"
        " 2 of another shape (conv1.weight is [64, 3, 7, 7], want [64, 3, 3, 3],"
        " bn2.bias is [], want [64]);"
        " 1 not floating-point (final_layers.1.bias is int64)"
    )


@pytest.mark.parametrize(
    "name", ["stage2.0.branches.0.0.conv1.weight", "transition1.0.0.weight", "bn1.running_var"]
)
def test_one_tensor_of_another_shape_is_reported_alone(weights: Weights, name: str) -> None:
    weights[name] = np.ones((5, *weights[name].shape[1:]), np.float32)
    assert f": 1 of another shape ({name} is [5" in message(weights)
    assert message(weights).count(";") == 0


def test_other_keypoints_are_refused(weights: Weights) -> None:
    """CrowdPose has 14 keypoints and a skeleton that posewire does not support."""
    weights["final_layers.1.weight"] = np.ones((14, 2, 1, 1), np.float32)
    weights["final_layers.1.bias"] = np.ones(14, np.float32)
    assert "17 keypoints: 2 of another shape (final_layers.1.weight is [14, 2" in message(weights)


@pytest.mark.parametrize("shape", [(), (0, 4, 3, 3)])
def test_another_network_is_described_by_its_first_tensors(shape: tuple[int, ...]) -> None:
    another = {f"features.{index}.weight": np.ones(3, np.float32) for index in range(9)}
    another["stage2.0.branches.0.1.conv1.weight"] = np.ones(shape, np.float32)
    assert message(another) == (
        "has 'features.0.weight', 'features.1.weight', 'features.2.weight', 'features.3.weight'"
        " and 6 more, want the state dict of a HigherHRNet, with"
        " stage2.0.branches.0.0.conv1.weight and so on"
    )


def test_an_empty_state_dict_is_refused() -> None:
    assert message({}).startswith("has nothing, want the state dict of a HigherHRNet")


def test_the_error_is_one_of_checkpoints() -> None:
    assert issubclass(WrongWeightsError, CheckpointError)
