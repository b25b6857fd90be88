"""The input of the network: an image as cameras and image decoders deliver it."""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

# ImageNet's, used in training: of pixels from 0 to 255, in the order R, G, B.
_MEAN = np.array([123.675, 116.28, 103.53])
_DEVIATION = np.array([58.395, 57.12, 57.375])


def image_parameter() -> ov.op.Parameter:
    """Make the input `image`: uint8 (1, H, W, 3), channels B, G, R; H and W are dynamic."""
    image = ops.parameter([1, -1, -1, 3], np.uint8, name="image")
    image.output(0).get_tensor().set_names({"image"})
    image.set_layout(ov.Layout("NHWC"))
    return image


def centre_pixels(image: ov.Node) -> ov.Node:
    """Subtract the mean; return float32 (1, 3, H, W), still B, G, R.

    The mean cannot be folded into the first convolution's bias, because that convolution pads with
    zeros, which stand for the mean and not for black.
    """
    mean = ops.constant(_MEAN[::-1].reshape(1, 1, 1, 3), np.float32)
    centred = ops.subtract(ops.convert(image, np.float32), mean)
    return ops.transpose(centred, ops.constant([0, 3, 1, 2], np.int64), name="centred_pixels")


def adapt_kernel(kernel: NDArray[Any]) -> NDArray[np.float64]:
    """Adapt a kernel (outputs, 3, h, w) trained on R, G, B of deviation 1 to centred B, G, R."""
    by_deviation: NDArray[np.float64] = kernel / _DEVIATION.reshape(1, 3, 1, 1)
    return by_deviation[:, ::-1]
