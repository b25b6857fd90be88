"""The outputs of the networks: heatmaps and tags of one size, peaks told by their sign."""

from __future__ import annotations

from typing import Literal

import numpy as np
import openvino as ov
from openvino import opset13 as ops

_PEAK_WINDOW = 5


def pose_maps(quarter_maps: ov.Node, half_maps: ov.Node) -> list[ov.Node]:
    """`heatmaps` and `embeddings`, both (1, K, H/2, W/2).

    `quarter_maps` (1, 2 K, H/4, W/4) are K heatmaps and K maps of tags, `half_maps`
    (1, K, H/2, W/2) the other heatmaps; what is returned is the mean of the two, not below 0, and
    negated wherever a cell is not the maximum of the 5x5 cells around it. So it is in the
    accuracy checker of Open Model Zoo, whose published AP this network has.
    """
    axis = ops.constant(1, np.int64)
    coarse, tags = (
        upsample(maps, 2, mode="linear_onnx") for maps in ops.split(quarter_maps, axis, 2).outputs()
    )
    total = ops.add(coarse, half_maps)
    mean = ops.relu(ops.multiply(total, ops.constant(0.5, np.float32)))
    return [_named("heatmaps", _signed(mean)), _named("embeddings", tags)]


def upsample(maps: ov.Node, factor: int, *, mode: Literal["nearest", "linear_onnx"]) -> ov.Node:
    """To `factor` times the size; cell centres stay where they are, as half-pixel centres do."""
    scales = ops.constant([factor] * 2, np.float32)
    axes = ops.constant([2, 3], np.int64)
    return ops.interpolate(maps, scales, mode, "scales", axes=axes)


def _signed(heatmaps: ov.Node) -> ov.Node:
    window = [_PEAK_WINDOW] * 2
    reach = [_PEAK_WINDOW // 2] * 2
    highest = ops.max_pool(heatmaps, [1, 1], [1, 1], reach, reach, window).output(0)
    return ops.select(ops.equal(heatmaps, highest), heatmaps, ops.negative(heatmaps))


def _named(name: str, maps: ov.Node) -> ov.Node:
    maps.output(0).get_tensor().set_names({name})
    return ops.result(maps, name=name)
