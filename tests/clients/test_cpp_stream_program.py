"""The C++ example of a stream gets what the Python client gets."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from posewire_client import Client, FrameFailure, Result
from posewire_server.sample import STILL

PROGRAM = Path(__file__).parents[2] / "build" / "clients" / "cpp" / "stream"
TIMEOUT = 120

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists() and "CI" not in os.environ,
    reason=f"no {PROGRAM}: make examples builds it, with the packages in docs/cpp_client.md",
)


def run(*arguments: str | Path) -> tuple[int, str, str]:
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=TIMEOUT)
    return done.returncode, done.stdout, done.stderr


def test_every_file_has_its_outcome_in_order(address: str, tmp_path: Path) -> None:
    text = tmp_path / "people.txt"
    text.write_text("three people, one of them waving")
    with Client(address) as client:
        still, failure = client.stream([STILL, text])
    assert isinstance(still, Result)
    assert isinstance(failure, FrameFailure)
    code, out, err = run(address, STILL, text, STILL)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"frame 1: {len(still.poses)} people",
        f"frame 2: {failure.error}",
        f"frame 3: {len(still.poses)} people",
    ]


def test_a_file_that_is_not_there_ends_the_stream_after_the_others(
    address: str, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.jpg"
    code, out, err = run(address, STILL, missing, STILL)
    assert code == 1
    assert len(out.splitlines()) == 1
    assert str(missing) in err
