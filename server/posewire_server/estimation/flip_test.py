"""The flip test: one output from a network's runs on an image and on its mirror image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_decoder import merge_mirrored
from posewire_server.estimation.runner import Infer, NetworkOutput


@dataclass(frozen=True, slots=True)
class FlipTest:
    """Runs a network twice.

    `mirrored_keypoints`: for each keypoint, the one that it is in a mirrored image. `delta_x`: the
    model's; None mirrors about the centre of the image, as published recipes do.

    A point at x of the input is in cell x / stride - delta_x. Unless delta_x is 1/4, at a stride of
    2, the image must be mirrored beside its centre, or the same point lies between two cells of the
    mirrored output: half a cell beside the right one, with a delta_x of 0.5 or 0.
    """

    mirrored_keypoints: tuple[int, ...]
    delta_x: float | None

    def infer(
        self, infer: Infer, image: NDArray[np.uint8], *, check: Callable[[], object]
    ) -> NetworkOutput:
        """Return the merged output for a letterboxed image.

        The whole input is mirrored, padding included. The heatmaps are unsigned, and the tags have
        the components of both runs. `check` is called between them, and may raise.
        """
        output = infer(image)
        check()
        # The next run overwrites the output of this one.
        heatmaps, tags = output.heatmaps.copy(), output.tags.copy()
        shift = self._shift(stride=image.shape[1] / heatmaps.shape[2])
        mirrored = infer(mirror_columns(image, shift=shift))
        merged = merge_mirrored(
            heatmaps, tags, *mirrored, mirrored_keypoints=self.mirrored_keypoints
        )
        return NetworkOutput(*merged)

    def _shift(self, *, stride: float) -> int:
        """Return the shift with which cell c of the mirrored output is cell -1 - c."""
        return 0 if self.delta_x is None else round(2 * stride * self.delta_x - stride + 1)


def mirror_columns(image: NDArray[np.uint8], *, shift: int) -> NDArray[np.uint8]:
    """Return the mirror image, moved to the right by `shift` columns; it repeats its edge there."""
    kept = slice(max(shift, 0), image.shape[1] + min(shift, 0))
    mirrored = np.empty_like(image)
    cv2.flip(image[:, kept], 1, dst=mirrored[:, kept])
    mirrored[:, : kept.start] = mirrored[:, kept.start : kept.start + 1]
    mirrored[:, kept.stop :] = mirrored[:, kept.stop - 1 : kept.stop]
    return mirrored
