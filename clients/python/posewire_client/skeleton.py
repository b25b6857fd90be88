"""The keypoints that poses consist of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The keypoints of a model's poses.

    `edges` are the lines of a drawing and `flip_pairs` the left and right counterparts, both as
    indices of keypoints. `oks_sigmas` are the sigmas of COCO's object keypoint similarity.
    """

    keypoint_names: tuple[str, ...]
    oks_sigmas: tuple[float, ...]
    edges: tuple[tuple[int, int], ...]
    flip_pairs: tuple[tuple[int, int], ...]

    def index_of(self, keypoint_name: str) -> int:
        """Return the index of the keypoint; raises KeyError."""
        try:
            return self.keypoint_names.index(keypoint_name)
        except ValueError:
            names = ", ".join(self.keypoint_names)
            raise KeyError(f"got the keypoint {keypoint_name!r}, want one of {names}") from None


def unknown_skeleton(keypoints: int) -> Skeleton:
    """Return the skeleton of a server that describes none: numbers for names, and no edges."""
    names = tuple(str(k) for k in range(keypoints))
    return Skeleton(names, oks_sigmas=(), edges=(), flip_pairs=())
