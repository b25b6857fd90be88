"""The decoders and their options: a typed interface to the compiled ones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import _core
from posewire_decoder.arguments import CONVERTERS, flag, integer, number
from posewire_decoder.poses import Poses

_DECODER = _core.DecoderOptions()
_CALL = _core.DecodeOptions()

CompiledOptions = TypeVar("CompiledOptions", bound=_core.ModelOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Options that both decoders have.

    `detection_threshold`: a peak's heat must exceed this.
    `tag_threshold`: a peak joins a pose only if their tags are nearer than this.
    `delta`: cells added to (x, y). 0.5 suits networks trained on truncated coordinates, such as
    HigherHRNet, 0 the others.
    `nms`: where non-maxima are suppressed; "graph" if the network negates them, "decoder" if the
    heatmaps are unsigned and the decoder has to do it.
    `grouping_order`: the keypoint types in the order in which they are grouped, each once; its
    length is K.
    """

    detection_threshold: float = _DECODER.detection_threshold
    tag_threshold: float = _DECODER.tag_threshold
    delta: tuple[float, float] = _DECODER.delta
    nms: Literal["graph", "decoder"] = _DECODER.nms
    grouping_order: tuple[int, ...] = tuple(_DECODER.grouping_order)

    def _copy_to(self, compiled: CompiledOptions) -> CompiledOptions:
        for field in fields(self):
            convert = CONVERTERS[type(getattr(compiled, field.name))]
            setattr(compiled, field.name, convert(field.name, getattr(self, field.name)))
        return compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderOptions(ModelOptions):
    """Options of `Decoder`: those of `ModelOptions` and its own.

    `max_peaks`: peaks kept per keypoint type, warmest first.
    `refine_threshold`: a cell that fills a missing keypoint must have heat above this.
    `adjust`: the sub-cell offset, from the "parabola" through three cells per axis or a "quarter"
    of a cell towards the warmer neighbour.
    """

    max_peaks: int = _DECODER.max_peaks
    refine_threshold: float = _DECODER.refine_threshold
    adjust: Literal["parabola", "quarter"] = _DECODER.adjust


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOptions(ModelOptions):
    """Options of `ReferenceDecoder`: those of `ModelOptions` and its own.

    `max_peaks`: peaks kept per keypoint type, warmest first.
    """

    max_peaks: int = _core.ReferenceOptions().max_peaks


class _AnyDecoder:
    __slots__ = ("_compiled",)
    _compiled: _core.Decoder | _core.ReferenceDecoder

    def decode(
        self,
        heatmaps: NDArray[np.float32],
        tags: NDArray[np.float32],
        *,
        max_poses: int | None = _CALL.max_poses,
        min_pose_score: float = _CALL.min_pose_score,
        min_keypoint_score: float = _CALL.min_keypoint_score,
        refine: bool = _CALL.refine,
    ) -> Poses:
        """Return the poses in one network output.

        `heatmaps`: C-contiguous float32 (K, H, W). `tags`: C-contiguous float32 (K, H, W) or
        (K, H, W, L). Both may have a leading batch axis of 1. Neither is copied or written to, and
        the GIL is released while they are read. A cell of NaN or infinite heat has no heat. A cell
        with such a tag has no tag: it is neither a peak nor found by refine.

        `max_poses`: keep the best-scoring poses. `min_pose_score`: drop poses that score lower,
        before refine. `min_keypoint_score`: report keypoints that score lower as absent, and drop
        poses left without any. `refine`: fill missing keypoints.

        Raises `TypeError` for anything but float32 arrays, `ValueError` for a memory layout, shape
        or option that does not fit. Both name the argument, what it got and what it wants.
        """
        arrays = self._compiled.decode(
            heatmaps,
            tags,
            max_poses=None if max_poses is None else integer("max_poses", max_poses),
            min_pose_score=number("min_pose_score", min_pose_score),
            min_keypoint_score=number("min_keypoint_score", min_keypoint_score),
            refine=flag("refine", refine),
        )
        return Poses(*arrays)


class Decoder(_AnyDecoder):
    """Decode heatmaps and tags into poses: find peaks, group them, adjust and refine.

    Refine fills a missing keypoint from the warmest cell of a near tag around the pose's peaks;
    heat counts less with the distance from them.

    Immutable, and safe to share between threads. Raises `ValueError` naming the option that is out
    of range.

    The algorithm is associative embedding (Newell et al., 2017) as HigherHRNet (Cheng et al., 2020)
    decodes it, with another cost of grouping.
    """

    __slots__ = ("options",)
    _compiled: _core.Decoder

    def __init__(self, options: DecoderOptions | None = None) -> None:
        self.options = DecoderOptions() if options is None else options
        if not isinstance(self.options, DecoderOptions):
            raise TypeError(f"options: got {type(options).__name__}, want DecoderOptions")
        self._compiled = _core.Decoder(self.options._copy_to(_core.DecoderOptions()))


class ReferenceDecoder(_AnyDecoder):
    """Decode as the accuracy checker of Open Model Zoo does, quirks included.

    It is the decoder behind the published AP of HigherHRNet-W32 (64.64 %). Poses are in the order
    in which grouping opened them, absent keypoints lie at delta, inferred ones lack delta, and
    scores are not limited to 1. Refine takes the warmest of the cells nearest in tag, anywhere.

    Immutable, and safe to share between threads. Raises `ValueError` naming the option that is out
    of range.
    """

    __slots__ = ("options",)
    _compiled: _core.ReferenceDecoder

    def __init__(self, options: ReferenceOptions | None = None) -> None:
        self.options = ReferenceOptions() if options is None else options
        if not isinstance(self.options, ReferenceOptions):
            raise TypeError(f"options: got {type(options).__name__}, want ReferenceOptions")
        self._compiled = _core.ReferenceDecoder(self.options._copy_to(_core.ReferenceOptions()))
