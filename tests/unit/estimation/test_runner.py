from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from posewire_server.estimation.runner import OpenVinoRunner, RunnerOptions, weights_type
from posewire_server.models.errors import CompileError
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


def test_the_output_is_shown_as_it_is_and_not_copied(runner: OpenVinoRunner) -> None:
    image = painted_frame(96, 96, [person_at(11, 11, 18)], sigma=3)
    with runner.request() as infer:
        places = []
        for given, is_somebody in ((image, True), (np.zeros_like(image), False)):
            output = infer(given)
            for array in output:
                assert array.dtype == np.float32
                assert array.flags.c_contiguous
                assert not array.flags.owndata
                places.append(array.ctypes.data)
            assert (output.heatmaps.max() > 0.5) == is_somebody
    assert places[:2] == places[2:]


def test_a_request_is_free_again_however_its_block_ends(runner: OpenVinoRunner) -> None:
    for _ in range(runner.capacity + 1):
        with pytest.raises(ZeroDivisionError), runner.request():
            raise ZeroDivisionError


def test_an_image_that_the_network_refuses_is_an_error_of_its_own(runner: OpenVinoRunner) -> None:
    with pytest.raises(RuntimeError):
        runner.run(np.zeros((32, 32, 4), np.uint8))
    assert runner.run(np.zeros((32, 32, 3), np.uint8)).heatmaps.shape == (17, 16, 16)


def test_several_images_run_at_the_same_time() -> None:
    options = RunnerOptions(performance_hint="THROUGHPUT", num_streams=2, inference_num_threads=2)
    runner = OpenVinoRunner(colour_network(), options)
    assert runner.capacity == 2
    meeting = threading.Barrier(2, timeout=10)
    image = np.zeros((32, 32, 3), np.uint8)

    def run() -> int:
        with runner.request() as infer:
            infer(image)
            return meeting.wait()

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(run) for _ in range(2)]
        assert sorted(each.result() for each in both) == [0, 1]


def test_who_finds_no_free_request_waits_for_one(runner: OpenVinoRunner) -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    with ThreadPoolExecutor(1) as threads:
        with ExitStack() as held:
            for _ in range(runner.capacity):
                held.enter_context(runner.request())
            waiting = threads.submit(runner.run, image)
            assert not wait([waiting], timeout=0.1).done
        assert waiting.result(timeout=10).heatmaps.shape == (17, 16, 16)


def test_compiled_networks_are_kept_on_disk(tmp_path: Path) -> None:
    options = RunnerOptions(inference_num_threads=1, cache_dir=tmp_path / "compiled")
    image = painted_frame(96, 96, [person_at(11, 11, 18)], sigma=3)
    first = OpenVinoRunner(colour_network(), options).run(image)
    files = {each: each.stat().st_mtime_ns for each in options.cache_dir.iterdir()}
    assert files
    again = OpenVinoRunner(colour_network(), options).run(image)
    np.testing.assert_array_equal(again.heatmaps, first.heatmaps)
    assert {each: each.stat().st_mtime_ns for each in options.cache_dir.iterdir()} == files


@pytest.mark.parametrize(
    ("options", "quota", "threads"),
    [
        (RunnerOptions(), None, None),
        (RunnerOptions(), 1.9, 1),
        (RunnerOptions(), 0.5, 1),
        (RunnerOptions(), 1e6, None),
        (RunnerOptions(device="GPU"), 1.0, None),
        (RunnerOptions(inference_num_threads=3), 1.0, 3),
    ],
    ids=["no quota", "rounded down", "at least one", "beyond the machine", "no CPU", "as asked"],
)
def test_threads_stay_within_the_quota(
    monkeypatch: pytest.MonkeyPatch,
    options: RunnerOptions,
    quota: float | None,
    threads: int | None,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert options.properties(quota=quota).get("INFERENCE_NUM_THREADS") == threads


@pytest.mark.parametrize(
    ("options", "quota", "threads"),
    [
        (RunnerOptions(), None, 4),
        (RunnerOptions(), 7.0, 3),
        (RunnerOptions(), 1.0, 1),
        (RunnerOptions(), 16.0, 4),
        (RunnerOptions(device="GPU"), 1.0, 0),
        (RunnerOptions(inference_num_threads=3), 1.0, 3),
    ],
    ids=["no quota", "rounded down", "at least one", "beyond the machine", "no CPU", "as asked"],
)
def test_processes_share_the_quota(
    monkeypatch: pytest.MonkeyPatch, options: RunnerOptions, quota: float | None, threads: int
) -> None:
    """Each of two may use the 4 processors that it is bound to."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    monkeypatch.setattr("posewire_server.estimation.runner.cpu_quota", lambda: quota)
    assert options.limit_threads(2).inference_num_threads == threads


def test_options_go_by_the_names_of_openvino(tmp_path: Path) -> None:
    options = RunnerOptions(
        performance_hint="THROUGHPUT",
        inference_precision_hint="bf16",
        num_streams=3,
        cache_dir=tmp_path,
    )
    assert options.properties(quota=None) == {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_PRECISION_HINT": "bf16",
        "CPU_RUNTIME_CACHE_CAPACITY": 16,
        "NUM_STREAMS": 3,
        "CACHE_DIR": str(tmp_path),
    }
    assert "CPU_RUNTIME_CACHE_CAPACITY" not in RunnerOptions(device="GPU").properties(quota=None)


def test_the_type_of_most_weights_is_known(tmp_path: Path) -> None:
    network = colour_network()
    assert weights_type(network) == "f32"
    path = tmp_path / "half.xml"
    ov.save_model(network, path, compress_to_fp16=True)
    assert weights_type(ov.Core().read_model(path)) == "f16"


def test_an_image_that_may_not_be_written_to_is_taken(runner: OpenVinoRunner) -> None:
    image = painted_frame(96, 96, [person_at(11, 11, 18)], sigma=3)
    expected = runner.run(image).heatmaps
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
