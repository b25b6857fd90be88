"""The C++ and the Go program of clients/ print what the Python client gets."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire.v1 import image_pb2, pose_service_pb2
from posewire_client import Client, Origin, Pose
from posewire_server.sample import STILL
from tests.reference.scripted_service import ScriptedService, running

ROOT = Path(__file__).parents[2]
TIMEOUT = 120
NOSE = 0


@pytest.fixture(params=["cpp", "go"])
def program(request: pytest.FixtureRequest) -> Path:
    path = ROOT / "build" / "clients" / request.param / "estimate"
    if not path.exists():
        missing = f"no {path}: make examples builds it, with the packages that docs/ names"
        (pytest.fail if "CI" in os.environ else pytest.skip)(missing)
    return path


def run(*command: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    return done.returncode, done.stdout, done.stderr


def printed(pose: Pose) -> str:
    found = np.count_nonzero(pose.origins != Origin.ABSENT)
    line = f"pose score {pose.score:.3f}, {found} keypoints"
    if pose[NOSE].origin == Origin.ABSENT:
        return line
    return f"{line}, nose at {pose[NOSE].x:.1f}, {pose[NOSE].y:.1f}"


def poses_seen_by_python(address: str, image: Path) -> Sequence[Pose]:
    with Client(address) as client:
        return client.estimate(image).poses


def test_people_are_those_of_the_python_client(program: Path, address: str) -> None:
    poses = poses_seen_by_python(address, STILL)
    assert len({pose[NOSE].origin for pose in poses}) > 1
    assert all(0 < np.count_nonzero(pose.origins == Origin.ABSENT) < len(pose) for pose in poses)
    code, out, err = run(program, address, STILL)
    assert (code, err) == (0, "")
    *lines, last = out.splitlines()
    assert lines == [printed(pose) for pose in poses]
    took = re.fullmatch(r"inference took (\d+\.\d) ms", last)
    assert took
    assert float(took[1]) > 0


def test_an_image_of_nobody_is_no_failure(program: Path, address: str, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((96, 128, 3), 128, np.uint8))
    assert poses_seen_by_python(address, path) == ()
    code, out, err = run(program, address, path)
    assert (code, err) == (0, "")
    assert out.startswith("inference took ")


def test_the_call_has_a_deadline_and_the_whole_file(program: Path) -> None:
    service = ScriptedService(estimates=[lambda _: pose_service_pb2.EstimatePosesResponse()])
    with running(service) as server:
        assert run(program, server.target, STILL) == (0, "inference took 0.0 ms\n", "")
    (deadline,), (request,) = service.deadlines, service.requests
    assert deadline is not None
    assert 0 < deadline <= 30
    assert request.image.encoded.data == STILL.read_bytes()
    assert request.image.encoded.orientation_policy == image_pb2.ORIENTATION_POLICY_APPLY


def test_a_file_that_is_no_image_is_an_invalid_argument(
    program: Path, address: str, tmp_path: Path
) -> None:
    text = tmp_path / "people.txt"
    text.write_text("three people, one of them waving")
    code, out, err = run(program, address, text)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"estimate: INVALID_ARGUMENT: image\.encoded\.data: got 32 bytes .*\n", err)


def test_a_server_that_is_not_there_is_unavailable(program: Path) -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        code, out, err = run(program, f"127.0.0.1:{bound.getsockname()[1]}", STILL)
    assert (code, out) == (1, "")
    assert err.startswith("estimate: UNAVAILABLE: ")


def test_a_file_that_is_not_there_is_named(program: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.jpg"
    code, out, err = run(program, "127.0.0.1:1", missing)
    assert (code, out) == (1, "")
    assert str(missing) in err


def test_wrong_arguments_get_the_usage(program: Path) -> None:
    assert run(program) == (2, "", "usage: estimate HOST:PORT IMAGE\n")
