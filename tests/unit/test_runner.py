from __future__ import annotations

import numpy as np
import pytest

from posewire_server.models.errors import CompileError
from posewire_server.runner import OpenVinoRunner, RunnerOptions
from tests.reference.colour_network import (
    COLOURS,
    PLACES,
    TAG_OF_WHITE,
    colour_network,
    painted_frame,
    person_at,
)

ONE_THREAD = RunnerOptions(inference_num_threads=1)


@pytest.fixture(scope="module")
def runner() -> OpenVinoRunner:
    return OpenVinoRunner(colour_network(), ONE_THREAD)


def test_keypoints_are_hot_and_tagged_where_they_are_painted(runner: OpenVinoRunner) -> None:
    # Odd places, because that is what the network's cells see.
    image = painted_frame(192, 160, [person_at(21, 31, 30)], brightness=(0.75,))
    output = runner.run(image)
    assert output.heatmaps.shape == output.tags.shape == (17, 80, 96)
    for heat, tags, place in zip(output.heatmaps, output.tags, PLACES, strict=True):
        x, y = (10, 15) + 15 * place.astype(int)
        assert np.unravel_index(heat.argmax(), heat.shape) == (y, x)
        assert heat[y, x] == pytest.approx(0.75, abs=0.02)
        assert tags[y, x] == pytest.approx(0.75 * TAG_OF_WHITE, abs=0.1)
        assert (heat[y - 1 : y + 2, x - 1 : x + 2] < 0).sum() == 8


def test_images_of_different_sizes_follow_each_other(runner: OpenVinoRunner) -> None:
    for height, width in [(64, 96), (160, 32), (32, 32), (64, 96)]:
        image = np.zeros((height, width, 3), np.uint8)
        image[height // 2 - 1, width // 2 - 1] = np.round(200 * COLOURS[3])
        output = runner.run(image)
        assert output.heatmaps.shape == (17, height // 2, width // 2)
        assert output.heatmaps[3, height // 4 - 1, width // 4 - 1] > 0.5
        assert np.count_nonzero(output.heatmaps[3]) == 1


def test_outputs_go_to_the_decoder_as_they_are_and_hold_until_the_next_run(
    runner: OpenVinoRunner,
) -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    first = runner.run(image)
    for array in (first.heatmaps, first.tags):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert not array.flags.owndata
    image[31, 31] = 255
    second = runner.run(image)
    assert np.shares_memory(first.heatmaps, second.heatmaps)


def test_an_image_that_may_not_be_written_to_is_taken(runner: OpenVinoRunner) -> None:
    image = painted_frame(96, 96, [person_at(11, 11, 18)], sigma=3)
    expected = runner.run(image).heatmaps.copy()
    image.flags.writeable = False
    np.testing.assert_array_equal(runner.run(image).heatmaps, expected)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (RunnerOptions(device="NPU9"), "device NPU9 with .*: have devices CPU"),
        (RunnerOptions(inference_num_threads=-1), "'INFERENCE_NUM_THREADS': -1.*OpenVINO says"),
    ],
    ids=["device", "hint"],
)
def test_what_openvino_does_not_run_is_said(options: RunnerOptions, complaint: str) -> None:
    with pytest.raises(CompileError, match=complaint):
        OpenVinoRunner(colour_network(), options)
