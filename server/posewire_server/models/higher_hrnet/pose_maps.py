"""The outputs of the network: heatmaps and tags of one size, with peaks marked by their sign."""

from __future__ import annotations

from typing import Literal

import numpy as np
import openvino as ov
from openvino import opset13 as ops

_PEAK_WINDOW = 5


def pose_maps(quarter_maps: ov.Node, half_maps: ov.Node) -> list[ov.Node]:
    """Return `heatmaps` and `embeddings`, both (1, K, H/2, W/2).

    `quarter_maps` (1, 2 K, H/4, W/4) are K heatmaps and K maps of tags, `half_maps`
    (1, K, H/2, W/2) are finer heatmaps. The result is the mean of both heatmaps, at least 0, and
    negated at every cell that is not the maximum of the 5x5 cells around it, as in the accuracy
    checker of Open Model Zoo, which measured the published AP.
    """
    axis = ops.constant(1, np.int64)
    coarse, tags = (
        upsample(maps, 2, mode="linear_onnx") for maps in ops.split(quarter_maps, axis, 2).outputs()
    )
    total = ops.add(coarse, half_maps)
    mean = ops.relu(ops.multiply(total, ops.constant(0.5, np.float32)))
    return [_output("heatmaps", _negate_non_peaks(mean)), _output("embeddings", tags)]


def upsample(maps: ov.Node, factor: int, *, mode: Literal["nearest", "linear_onnx"]) -> ov.Node:
    """Enlarge by `factor`, with half-pixel centres."""
    scales = ops.constant([factor] * 2, np.float32)
    axes = ops.constant([2, 3], np.int64)
    return ops.interpolate(maps, scales, mode, "scales", axes=axes)


def _negate_non_peaks(heatmaps: ov.Node) -> ov.Node:
    window = [_PEAK_WINDOW] * 2
    reach = [_PEAK_WINDOW // 2] * 2
    highest = ops.max_pool(heatmaps, [1, 1], [1, 1], reach, reach, window).output(0)
    return ops.select(ops.equal(heatmaps, highest), heatmaps, ops.negative(heatmaps))


def _output(name: str, maps: ov.Node) -> ov.Node:
    maps.output(0).get_tensor().set_names({name})
    return ops.result(maps, name=name)
