"""Samples the colours of a person's head, clothes and limbs, by which tracks know them again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import sample_colours
from posewire_server.estimation.frame_poses import FramePoses

# Points (keypoint, keypoint, share of the way) of COCO's skeleton; both sides of the body count as
# one region, because networks mistake one for the other. The chest has two points off its middle.
_REGIONS = (
    ((5, 12, 0.35), (6, 11, 0.35), (5, 6, 0.5)),
    ((11, 12, 0.5),),
    ((5, 7, 0.5), (6, 8, 0.5)),  # upper arms
    ((7, 9, 0.5), (8, 10, 0.5)),  # forearms
    ((11, 13, 0.4), (12, 14, 0.4)),  # thighs
    ((13, 15, 0.5), (14, 16, 0.5)),  # shins
    ((0, 0, 0.0),),  # face
    ((3, 4, 0.5),),  # head
)


def body_colours(
    image: NDArray[np.uint8], keypoints: NDArray[np.floating[Any]], poses: FramePoses
) -> NDArray[np.float32]:
    """Return the colours (N, R, 4) of poses of COCO's skeleton, as `sample_colours` has them.

    `image` (H, W, 3): best the network's input, whose small size makes each pixel the mean of many.
    `keypoints` (N, 17, 2): those of the poses in pixels of the image.
    """
    places = np.ascontiguousarray(keypoints, np.float32)
    return sample_colours(image, places, poses.keypoint_scores, poses.origins, _REGIONS)
