"""The typed face of the compiled decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import flag, indices, integer, number, pair, text
from posewire_decoder.poses import Poses

COCO_GROUPING_ORDER = (0, 1, 2, 3, 4, 5, 6, 11, 12, 7, 8, 9, 10, 13, 14, 15, 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOptions:
    """What holds for a model; fixed for the life of a `Decoder`.

    `detection_threshold`: a peak's heat must exceed this.
    `tag_threshold`: a peak joins a pose only if their tags are nearer than this; how much nearer
    depends on how warm both are and on how near the peak lies, except in reference mode.
    `refine_threshold`: a cell that fills a missing keypoint must have heat above this; reference
    mode takes any above 0.
    `max_peaks`: peaks kept per keypoint type, warmest first; None means 100, or 30 in reference
    mode.
    `delta`: cells added to every (x, y). 0.5 suits networks trained on truncated coordinates, such
    as HigherHRNet, 0 those that were not.
    `nms`: where non-maxima were suppressed; "graph" if the network negates them, "decoder" if the
    heatmaps are unsigned and the decoder has to do it.
    `adjust`: the sub-cell offset, from the "parabola" through three cells per axis or a "quarter"
    of a cell towards the warmer neighbour; None means parabola, or quarter in reference mode.
    `reference`: do exactly what the accuracy-checker decoder of Open Model Zoo does, quirks
    included, which is behind the published AP of HigherHRNet-W32 (64.64 %). Poses then come in the
    order in which they were opened, absent keypoints lie at delta, and scores are not cut at 1.
    `grouping_order`: the keypoint types in the order in which they are grouped, each once; its
    length is K.
    """

    detection_threshold: float = 0.1
    tag_threshold: float = 1.0
    refine_threshold: float = 0.015
    max_peaks: int | None = None
    delta: tuple[float, float] = (0.5, 0.5)
    nms: Literal["graph", "decoder"] = "graph"
    adjust: Literal["parabola", "quarter"] | None = None
    reference: bool = False
    grouping_order: tuple[int, ...] = COCO_GROUPING_ORDER


class Decoder:
    """Turns heatmaps and tags into poses: peaks, grouping by tag distance, adjust, refine.

    Immutable, and safe to share between threads. Raises `ValueError` naming the option that is out
    of range.
    """

    __slots__ = ("_core", "options")

    def __init__(self, options: DecoderOptions | None = None) -> None:
        options = DecoderOptions() if options is None else options
        if not isinstance(options, DecoderOptions):
            raise TypeError(f"options: got {type(options).__name__}, want DecoderOptions")
        self.options = options
        reference = options.reference
        max_peaks, adjust = options.max_peaks, options.adjust
        if max_peaks is None:
            max_peaks = 30 if reference else 100
        if adjust is None:
            adjust = "quarter" if reference else "parabola"
        x, y = pair("delta", options.delta)
        self._core = _core.Decoder(
            detection_threshold=number("detection_threshold", options.detection_threshold),
            tag_threshold=number("tag_threshold", options.tag_threshold),
            refine_threshold=number("refine_threshold", options.refine_threshold),
            max_peaks=integer("max_peaks", max_peaks),
            delta=(number("delta x", x), number("delta y", y)),
            nms=text("nms", options.nms),
            adjust=text("adjust", adjust),
            reference=flag("reference", reference),
            grouping_order=indices("grouping_order", options.grouping_order),
        )

    def decode(
        self,
        heatmaps: NDArray[np.float32],
        tags: NDArray[np.float32],
        *,
        max_poses: int | None = None,
        min_pose_score: float = 0.0,
        min_keypoint_score: float = 0.0,
        refine: bool = True,
    ) -> Poses:
        """The poses in one network output.

        `heatmaps`: C-contiguous float32 (K, H, W). `tags`: C-contiguous float32 (K, H, W) or
        (K, H, W, L). Both may have a leading batch axis of 1. Neither is copied or written to, and
        the GIL is released while they are read. A cell whose heat is NaN or infinite has no heat;
        one whose tag is has no tag, so it is neither a peak nor found by refine.

        `max_poses`: keep the best-scoring ones. `min_pose_score`: drop poses that score lower,
        before refine. `min_keypoint_score`: report keypoints that score lower as absent, and drop
        poses that keep none. `refine`: give a pose's missing keypoints the warmest cell around its
        peaks whose tag is near, heat counting the less the farther out it lies; in reference mode,
        the warmest of those nearest in tag, wherever they lie.

        Raises `TypeError` for anything but float32 arrays, `ValueError` for a memory layout, shape
        or option that does not fit; both name the argument, what came and what is wanted.

        The algorithm is associative embedding (Newell et al., 2017) as HigherHRNet (Cheng et al.,
        2020) and Open Model Zoo's accuracy checker decode it.
        """
        keypoints, keypoint_scores, origins, scores, pose_tags = self._core.decode(
            heatmaps,
            tags,
            max_poses=None if max_poses is None else integer("max_poses", max_poses),
            min_pose_score=number("min_pose_score", min_pose_score),
            min_keypoint_score=number("min_keypoint_score", min_keypoint_score),
            refine=flag("refine", refine),
        )
        return Poses(keypoints, keypoint_scores, origins, scores, pose_tags)
