"""`posewire predict --engine ray` against the local engine, and when nodes die."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posewire_cli.command import main
from posewire_cli.errors import TargetError
from posewire_cli.ray_batches import BatchModel, estimate_on_ray
from posewire_cli.source.image_files import find_images
from posewire_client import EstimateOptions, Result
from posewire_server import LocalEstimator
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.sample import STILL
from tests.ray.nodes import TRIES, add_node
from tests.reference.waiting import wait_until

RUNNER = RunnerOptions(inference_num_threads=1)
TIMEOUT = 240


def lines(text: str) -> list[dict[str, Any]]:
    """Parse JSON lines, without the times, which differ."""
    documents = [json.loads(line) for line in text.splitlines()]
    for document in documents:
        document.pop("stage_millis", None)
    return documents


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("scheme", ["", "file://", "local://"])
def test_outputs_equal_those_of_the_local_engine(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], scheme: str
) -> None:
    words = ["predict", "--model", "demo", "--json", "--recursive"]
    local, ray = tmp_path / "local", tmp_path / "ray"
    files = [str(folder), "missing.jpg"]
    assert main([*words, "--openpose", str(local), *files]) == 1
    expected = lines(capsys.readouterr().out)
    assert len(expected) == 26
    assert {each["outcome"] for each in expected} == {"result", "error"}
    objects = [f"{scheme}{folder}", "missing.jpg"]
    assert main([*words, "--engine", "ray", "--openpose", str(ray), *objects]) == 1
    got = lines(capsys.readouterr().out)
    for document in got:
        document["image"] = document["image"].removeprefix(scheme)
    assert got == expected
    written = sorted(path.relative_to(local) for path in local.rglob("*.json"))
    assert len(written) == 22
    assert written == sorted(path.relative_to(ray) for path in ray.rglob("*.json"))
    assert all((local / path).read_bytes() == (ray / path).read_bytes() for path in written)


def test_a_node_that_is_killed_costs_no_image(cluster: Any, tmp_path: Path) -> None:
    import ray

    for i in range(160):
        os.link(_copy(tmp_path), tmp_path / f"{i:03}.jpg")
    images = find_images([str(tmp_path / "*.jpg")])
    with LocalEstimator("demo", runner=RUNNER) as local:
        expected = local.estimate(STILL).poses.keypoints
    # The victim has the only processors that this model fits, until it is gone.
    victim = add_node(cluster, num_cpus=2)
    model = BatchModel("demo", "demo", RunnerOptions(inference_num_threads=2))
    names = []
    answers = estimate_on_ray(images, model, EstimateOptions())
    for answer in answers:
        assert isinstance(answer.outcome, Result)
        np.testing.assert_array_equal(answer.outcome.keypoints, expected)
        names.append(answer.name)
        if len(names) == 1:
            cluster.remove_node(victim, allow_graceful=False)
            add_node(cluster, num_cpus=2)
    assert names == [image.name for image in images]
    assert sum(node["Alive"] for node in ray.nodes()) == 4


@pytest.mark.usefixtures("cluster")
def test_nothing_is_overwritten(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.json"
    results.write_text("kept")
    words = ["predict", "--engine", "ray", "--model", "demo", "--coco", str(results)]
    assert main([*words, str(folder)]) == 1
    assert f"{results} exists already" in capsys.readouterr().err
    assert results.read_text() == "kept"


@pytest.mark.usefixtures("cluster")
def test_a_model_that_the_nodes_do_not_have_is_named(folder: Path, tmp_path: Path) -> None:
    model = BatchModel(str(tmp_path / "gone.xml"), "gone", RUNNER)
    images = find_images([str(folder / "00.jpg")])
    with pytest.raises(TargetError, match=r"Ray: .*gone\.xml: no such file"):
        list(estimate_on_ray(images, model, EstimateOptions()))


def test_interruption_ends_the_command_and_its_cluster(tmp_path: Path) -> None:
    for i in range(400):
        os.link(_copy(tmp_path), tmp_path / f"{i:03}.jpg")
    coco, output = tmp_path / "results.json", tmp_path / "output"
    words = ["predict", "--engine", "ray", "--model", "demo", "--json", "--coco", str(coco)]
    words += ["--overwrite"]  # for another try
    command = _start_printing(words, tmp_path, output)
    try:
        processes = _descendants(command.pid)
        os.killpg(command.pid, signal.SIGINT)
        _, errors = command.communicate(timeout=TIMEOUT)
    finally:
        command.kill()
        command.wait()
    assert command.returncode == 130, errors
    assert errors.splitlines()[-1] == "posewire: interrupted"
    assert "Traceback" not in errors
    printed = lines(output.read_text())
    assert 1 <= len(printed) < 400
    assert len(json.loads(coco.read_text())) in (6 * len(printed), 6 * (len(printed) - 1))
    assert len(processes) > 3
    wait_until(lambda: not any(map(_is_running, processes)), patience_secs=TIMEOUT)


def _start_printing(words: list[str], images: Path, output: Path) -> subprocess.Popen[str]:
    """Start the command, if need be in several tries, and wait until it has printed a line."""
    for _ in range(TRIES):
        command = _start(words, images, output)
        if _prints(command, output):
            return command
        _, errors = command.communicate()
        assert "node timed out during startup" in errors, errors
    pytest.fail(f"no node of Ray started in {TRIES} tries: {errors}")


def _prints(command: subprocess.Popen[str], output: Path) -> bool:
    """Wait until a command has printed a line, or has ended; return whether it runs on."""
    try:
        wait_until(
            lambda: "\n" in output.read_text() or command.poll() is not None,
            patience_secs=TIMEOUT,
        )
    except BaseException:
        command.kill()
        command.wait()
        raise
    return command.poll() is None


def _start(words: list[str], images: Path, output: Path) -> subprocess.Popen[str]:
    with output.open("w") as stdout:
        return subprocess.Popen(
            [sys.executable, "-m", "posewire_cli", *words, str(images / "*.jpg")],
            env={**os.environ, "RAY_ADDRESS": "local"},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def _copy(directory: Path) -> Path:
    path = directory / "still"
    if not path.exists():
        shutil.copy(STILL, path)
    return path


def _descendants(pid: int) -> set[int]:
    found, new = set[int](), {pid}
    while new:
        new = {child for each in new for child in _children(each)} - found
        found |= new
    return found


def _children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(word) for task in tasks for word in task.read_text().split()}


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
