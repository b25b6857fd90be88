"""How accurate a decoder is on painted scenes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

from posewire_decoder import Decoder, ReferenceDecoder
from tests.reference.evaluation import (
    Precision,
    ScoredPoses,
    average_precision,
    grouping_accuracy,
    localisation_error,
)
from tests.reference.modes import Options, decoder_for
from tests.reference.scenes import PaintedScene


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Average precision, the share of keypoints grouped right, and their mean error in cells."""

    precision: Precision
    grouping: float
    error_in_cells: float


def accuracy(scenes: Sequence[PaintedScene], options: Options) -> Accuracy:
    """Decodes the scenes as published recipes do: with refine and without any threshold."""
    decoder = decoder_for(options)
    answers = [_decoded(each, decoder) for each in scenes]
    return Accuracy(
        average_precision(scenes, answers),
        grouping_accuracy(scenes, answers),
        localisation_error(scenes, answers),
    )


def _decoded(scene: PaintedScene, decoder: Decoder | ReferenceDecoder) -> ScoredPoses:
    poses = decoder.decode(scene.heatmaps, scene.tags)
    return ScoredPoses(poses.keypoints, poses.scores)


def markdown(rows: Iterable[tuple[str, str, Accuracy]]) -> str:
    """A table with a row for each (kind of scene, decoder, accuracy)."""
    lines = [
        "| scenes | decoder | AP | AP50 | AP75 | AR | grouping | error, cells |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, name, result in rows:
        values = (*astuple(result.precision), result.grouping, result.error_in_cells)
        lines.append(f"| {kind} | {name} | {' | '.join(f'{value:.3f}' for value in values)} |")
    return "\n".join(lines)
