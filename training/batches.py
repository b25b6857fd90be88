"""Rendered scenes in the shape that training reads them: whole arrays, in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire_server.skeleton import COCO
from training.splits import Split, scene

_MOST_PEOPLE = 8
_KEYPOINT_COUNT = len(COCO.names)
_MIRRORED_KEYPOINTS = np.array(COCO.mirrored_keypoints)


@dataclass(frozen=True, slots=True)
class Batch:
    """N scenes of S×S pixels.

    `frames` (N, S, S, 3) BGR; `keypoints` (N, P, K, 2) are x, y in pixels; `labelled` (N, P, K)
    says which of them are to be found.
    """

    frames: NDArray[np.uint8]
    keypoints: NDArray[np.float32]
    labelled: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return int(self.frames.shape[1])

    def mirrored(self) -> Batch:
        """The scenes left to right, with each person's left keypoints for the right ones."""
        keypoints = self.keypoints[:, :, _MIRRORED_KEYPOINTS].copy()
        keypoints[..., 0] = self.size - 1 - keypoints[..., 0]
        return Batch(self.frames[:, :, ::-1], keypoints, self.labelled[:, :, _MIRRORED_KEYPOINTS])

    def chosen(self, indices: NDArray[np.int64]) -> Batch:
        """The scenes at these indices, in their order."""
        return Batch(self.frames[indices], self.keypoints[indices], self.labelled[indices])


def rendered(split: Split, indices: Sequence[int], *, size: int) -> Batch:
    """The scenes of these indices."""
    count = len(indices)
    frames = np.empty((count, size, size, 3), dtype=np.uint8)
    keypoints = np.zeros((count, _MOST_PEOPLE, _KEYPOINT_COUNT, 2), dtype=np.float32)
    labelled = np.zeros(keypoints.shape[:3], dtype=np.bool_)
    for n, index in enumerate(indices):
        still = scene(split, index, size=size)
        frames[n] = still.image
        for p, person in enumerate(still.people):
            keypoints[n, p] = person.keypoints
            labelled[n, p] = person.visibility > 0
    return Batch(frames, keypoints, labelled)


def shuffled(scenes: Batch, *, batch_size: int, seed: tuple[int, ...]) -> Iterator[Batch]:
    """Every scene twice, once as it is and once mirrored, in batches of random order."""
    rng = np.random.default_rng(seed)
    count = len(scenes.frames)
    order = rng.permutation(2 * count)
    for begin in range(0, 2 * count - batch_size + 1, batch_size):
        chosen = order[begin : begin + batch_size]
        # Half a batch is mirrored on average, so both parts are joined again scene by scene.
        plain, mirrored = chosen[chosen < count], chosen[chosen >= count] - count
        yield _joined(scenes.chosen(plain), scenes.chosen(mirrored).mirrored())


def _joined(first: Batch, second: Batch) -> Batch:
    return Batch(
        np.concatenate([first.frames, second.frames]),
        np.concatenate([first.keypoints, second.keypoints]),
        np.concatenate([first.labelled, second.labelled]),
    )
