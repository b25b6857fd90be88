"""The default decodes painted scenes better than the reference does, in every class."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from posewire_decoder import Decoder, DecoderOptions
from tests.reference.evaluation import (
    Precision,
    ScoredPoses,
    average_precision,
    grouping_accuracy,
    localisation_error,
)
from tests.reference.scenes import KINDS, Kind, PaintedScene, scene

SCENE_COUNT = 40
MODES = {"default": DecoderOptions(), "reference": DecoderOptions(reference=True)}


@dataclass(frozen=True, slots=True)
class Result:
    """How one mode does on the scenes of one kind."""

    precision: Precision
    grouping: float
    error_in_cells: float


@pytest.fixture(scope="module")
def results() -> dict[tuple[Kind, str], Result]:
    return {
        (kind, mode): result(scenes, options)
        for kind in KINDS
        for scenes in [[scene(kind, seed) for seed in range(SCENE_COUNT)]]
        for mode, options in MODES.items()
    }


def result(scenes: list[PaintedScene], options: DecoderOptions) -> Result:
    answers = [decoded(each, Decoder(options)) for each in scenes]
    return Result(
        average_precision(scenes, answers),
        grouping_accuracy(scenes, answers),
        localisation_error(scenes, answers),
    )


def decoded(each: PaintedScene, decoder: Decoder) -> ScoredPoses:
    poses = decoder.decode(each.heatmaps, each.tags)
    return ScoredPoses(poses.keypoints, poses.scores)


@pytest.mark.parametrize("kind", KINDS)
def test_average_precision_is_no_worse_than_the_references(
    kind: Kind, results: dict[tuple[Kind, str], Result]
) -> None:
    default, reference = (results[kind, mode] for mode in MODES)
    assert default.precision.ap >= reference.precision.ap
    assert default.error_in_cells < reference.error_in_cells


@pytest.mark.parametrize("kind", ["close_tags", "crowded"])
def test_people_whose_tags_are_close_are_told_apart_better(
    kind: Kind, results: dict[tuple[Kind, str], Result]
) -> None:
    default, reference = (results[kind, mode] for mode in MODES)
    assert default.precision.ap >= reference.precision.ap + 0.05
    assert default.grouping >= reference.grouping + 0.02


def test_separated_people_are_found_with_every_keypoint(
    results: dict[tuple[Kind, str], Result],
) -> None:
    separated = results["separated", "default"]
    assert separated.precision.ap >= 0.99
    assert separated.grouping >= 0.99
    assert separated.error_in_cells < 0.1


def test_the_table_is_shown(
    results: dict[tuple[Kind, str], Result], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{table(results)}")


def table(results: dict[tuple[Kind, str], Result]) -> str:
    titles = ("scenes", "mode", "AP", "AP50", "AP75", "AR", "grouping", "error, cells")
    rows = [titles] + [
        (
            kind,
            mode,
            *(f"{value:.4f}" for value in (each.precision.ap, each.precision.ap50)),
            *(f"{value:.4f}" for value in (each.precision.ap75, each.precision.ar)),
            f"{each.grouping:.4f}",
            f"{each.error_in_cells:.3f}",
        )
        for (kind, mode), each in results.items()
    ]
    return "\n".join("  ".join(f"{text:>10}" for text in row) for row in rows)
