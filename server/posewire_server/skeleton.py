"""Skeletons: the keypoints of a model's poses."""

from __future__ import annotations

from dataclasses import dataclass

from posewire.v1 import model_pb2


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The definition that all poses of a model share.

    `names`: the K keypoints in the order of every pose. `edges`: pairs of keypoints to connect by a
    line. `flip_pairs`: (left, right) pairs that swap in a mirrored image. `oks_sigmas`: the K
    constants of object keypoint similarity.
    """

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]
    oks_sigmas: tuple[float, ...]

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.oks_sigmas) != count:
            raise ValueError(f"oks_sigmas: got {len(self.oks_sigmas)}, want {count}, one per name")
        for pair in (*self.edges, *self.flip_pairs):
            if not all(0 <= keypoint < count for keypoint in pair):
                raise ValueError(f"{pair}: want keypoint numbers from 0 to {count - 1}")
        paired = [keypoint for pair in self.flip_pairs for keypoint in pair]
        if len(set(paired)) != len(paired):
            raise ValueError(f"flip_pairs: got {self.flip_pairs}, want each keypoint at most once")

    @property
    def mirrored_keypoints(self) -> tuple[int, ...]:
        """For each keypoint, the one that it is in a mirrored image."""
        mirrored = list(range(len(self.names)))
        for left, right in self.flip_pairs:
            mirrored[left], mirrored[right] = right, left
        return tuple(mirrored)

    def to_proto(self) -> model_pb2.Skeleton:
        return model_pb2.Skeleton(
            keypoints=[
                model_pb2.KeypointDefinition(name=name, oks_sigma=sigma)
                for name, sigma in zip(self.names, self.oks_sigmas, strict=True)
            ],
            edges=[
                model_pb2.SkeletonEdge(first_keypoint=first, second_keypoint=second)
                for first, second in self.edges
            ],
            flip_pairs=[
                model_pb2.FlipPair(left_keypoint=left, right_keypoint=right)
                for left, right in self.flip_pairs
            ],
        )


# Names, order and sigmas of COCO's keypoint task.
COCO = Skeleton(
    names=(
        "nose",
        "left_eye",
        "right_eye",
        "left_ear",
        "right_ear",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
        "left_hip",
        "right_hip",
        "left_knee",
        "right_knee",
        "left_ankle",
        "right_ankle",
    ),
    edges=(
        *((0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6)),  # head
        *((5, 6), (5, 11), (6, 12), (11, 12)),  # trunk
        *((5, 7), (7, 9), (6, 8), (8, 10)),  # arms
        *((11, 13), (13, 15), (12, 14), (14, 16)),  # legs
    ),
    flip_pairs=((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16)),
    oks_sigmas=(
        *(0.026, 0.025, 0.025, 0.035, 0.035),
        *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),
        *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
    ),
)
