"""The default decodes painted scenes at least as well as the reference does, in every class."""

from __future__ import annotations

import pytest

from posewire_decoder import DecoderOptions, ReferenceOptions
from tests.reference.accuracy import Accuracy, accuracy, markdown
from tests.reference.modes import Options
from tests.reference.scenes import KINDS, Kind, scene

SCENE_COUNT = 40
MODES: dict[str, Options] = {"default": DecoderOptions(), "reference": ReferenceOptions()}
Results = dict[tuple[Kind, str], Accuracy]


@pytest.fixture(scope="module")
def results() -> Results:
    return {
        (kind, mode): accuracy(scenes, options)
        for kind in KINDS
        for scenes in [[scene(kind, seed) for seed in range(SCENE_COUNT)]]
        for mode, options in MODES.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_average_precision_is_no_worse_than_the_references(kind: Kind, results: Results) -> None:
    default, reference = (results[kind, mode] for mode in MODES)
    assert default.precision.ap >= reference.precision.ap
    assert default.error_in_cells < reference.error_in_cells


@pytest.mark.parametrize("kind", ["close_tags", "crowded"])
def test_people_whose_tags_are_close_are_told_apart_better(kind: Kind, results: Results) -> None:
    default, reference = (results[kind, mode] for mode in MODES)
    assert default.precision.ap >= reference.precision.ap + 0.05
    assert default.grouping >= reference.grouping + 0.02


def test_separated_people_are_found_with_every_keypoint(results: Results) -> None:
    separated = results["separated", "default"]
    assert separated.precision.ap >= 0.99
    assert separated.grouping >= 0.99
    assert separated.error_in_cells < 0.1


def test_the_table_is_shown(results: Results, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print("\n" + markdown((kind, mode, each) for (kind, mode), each in results.items()))
