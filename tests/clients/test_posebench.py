"""The program posebench of each client counts its frames and prints the same document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from posewire_server.sample import STILL
from tests.reference.echo_server import echo_server

ROOT = Path(__file__).parents[2]
TIMEOUT = 120
FRAMES = 3
FIGURES = {
    "frames",
    "p50_millis",
    "p90_millis",
    "p99_millis",
    "cpu_millis_per_frame",
    "frames_per_sec",
}


@pytest.fixture(params=["python", "go", "cpp"])
def client(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name != "python" and not Path(program(name)[0]).exists():
        missing = f"no {program(name)[0]}: make examples builds it, with what docs/ names"
        (pytest.fail if "CI" in os.environ else pytest.skip)(missing)
    return name


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    with echo_server(answer_bytes=100) as server:
        yield server.address


def program(client: str) -> list[str]:
    if client == "python":
        return [sys.executable, "-W", "error", "-m", "tests.bench.posebench"]
    return [str(ROOT / "build" / "clients" / client / "posebench")]


def run(client: str, *arguments: str | Path) -> tuple[int, str, str]:
    command = [*program(client), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def test_every_frame_is_measured(client: str, address: str, echo: str) -> None:
    plan = ["--frames", str(FRAMES), "--warm-up", "1", "--window", "2", "--rate", "100"]
    code, out, err = run(client, "--server", address, "--echo", echo, *plan, "--json", STILL)
    assert (code, err) == (0, "")
    found = json.loads(out)
    stream, bare = found.pop("posewire"), found.pop("echo")
    assert found == {"client": client, "image_bytes": STILL.stat().st_size, "window": 2}
    assert bare.keys() == FIGURES
    assert stream.keys() == FIGURES | {"beyond_server_p50_millis"}
    assert stream["frames"] == bare["frames"] == FRAMES
    assert 0 < stream["beyond_server_p50_millis"] < stream["p50_millis"] <= stream["p99_millis"]


def test_a_frame_without_a_result_is_a_failure(client: str, address: str, tmp_path: Path) -> None:
    text = tmp_path / "people.txt"
    text.write_text("three people")
    code, out, err = run(client, "--server", address, text)
    assert (code, out) == (1, "")
    assert err.startswith("posebench: ")
    assert "got 12 bytes" in err


def test_an_echo_server_that_is_none_is_a_failure(client: str, address: str) -> None:
    plan = ["--frames", "1", "--warm-up", "0"]
    code, out, err = run(client, "--server", address, "--echo", address, *plan, STILL)
    assert (code, out) == (1, "")
    assert "unimplemented" in err.lower()


def test_a_plan_without_frames_is_a_wrong_argument(client: str) -> None:
    code, out, err = run(client, "--server", "127.0.0.1:1", "--frames", "0", STILL)
    assert (code, out) == (2, "")
    assert "frames" in err
