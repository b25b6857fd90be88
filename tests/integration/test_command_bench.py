"""`posewire bench` against a server that sees one person for each brightness."""

from __future__ import annotations

import csv
import itertools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posewire_cli.command import bench, main
from posewire_client import Client, Result, UnavailableError
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

DELAY_SECS = 0.02
TIMEOUT = 60


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    runner = PaintingRunner(person_of, capacity=2, delay=lambda: DELAY_SECS)
    with serving(painted_model(runner, size=SIDE)) as running:
        yield running.address


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "seven.png"
    cv2.imwrite(str(path), np.full((SIDE, SIDE, 3), 7, np.uint8))
    return path


@pytest.mark.parametrize("calls", ["unary", "stream"])
def test_figures_are_those_of_the_answers(
    server: str, image: Path, calls: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load = ["--calls", calls, "--concurrency", "2", "--seconds", "0.5", "--image", str(image)]
    assert main(["bench", "--server", server, *load, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["model"], figures["calls"], figures["failed"]) == ("painted", calls, 0)
    assert figures["images"] > 0
    per_second = figures["images"] / figures["seconds"]
    assert figures["images_per_second"] == pytest.approx(per_second)
    assert per_second <= 2 / DELAY_SECS
    times = figures["milliseconds"]
    assert times["inference"]["p50"] >= 1e3 * DELAY_SECS
    assert times["round_trip"]["p50"] >= times["total"]["p50"] >= times["inference"]["p50"]
    ranks = times["round_trip"]
    assert ranks["p99"] >= ranks["p95"] >= ranks["p90"] >= ranks["p50"]
    assert figures["complete"]


def test_a_list_of_concurrencies_is_run_in_turn(
    server: str, image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported = tmp_path / "runs.json", tmp_path / "runs.csv"
    files = ["--export-json", str(exported[0]), "--export-csv", str(exported[1])]
    load = ["--concurrency", "1,3", "--seconds", "0.3", "--image", str(image)]
    assert main(["bench", "--server", server, *load, *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    titles = [line.split(", ")[2] for line in lines if line.startswith("painted: ")]
    assert titles == ["concurrency 1", "concurrency 3"]
    records = json.loads(exported[0].read_text())
    with exported[1].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [each["concurrency"] for each in records] == [1, 3]
    for record, row in zip(records, rows, strict=True):
        assert int(row["images"]) == record["images"] > 0
        assert float(row["round_trip_ms_p95"]) == record["milliseconds"]["round_trip"]["p95"]
        assert float(row["images_per_second"]) == record["images_per_second"]


# The command without a warm-up, in a process of its own: Python's handler of a signal needs more
# stack than pytest's faulthandler leaves it, and may end all tests by a segmentation fault.
COMMAND = """
import signal, sys
from posewire_cli.command import bench, main
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job of a shell
bench._WARM_UP_SECS = 0.0
sys.exit(main(sys.argv[1:]))
"""


def test_an_interrupted_run_shows_what_it_has(image: Path, tmp_path: Path) -> None:
    exported = tmp_path / "runs.csv"
    estimated = itertools.count(1)
    is_sixth, ended = threading.Event(), threading.Event()

    def keep_the_sixth() -> float:
        if next(estimated) == 6:
            is_sixth.set()
            ended.wait(TIMEOUT)  # a call in progress does not hold the command back
        return 0.0

    model = painted_model(PaintingRunner(person_of, delay=keep_the_sixth), size=SIDE)
    with serving(model) as slow:
        load = ["--seconds", "600", "--image", str(image), "--export-csv", str(exported)]
        command = [sys.executable, "-c", COMMAND, "bench", "--server", slow.address, *load]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
            try:
                assert is_sixth.wait(TIMEOUT)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=TIMEOUT)
            finally:
                ended.set()
                process.kill()
    assert process.returncode == 130
    assert ", interrupted: " in out.splitlines()[0]
    assert "p95" in out
    assert err == "posewire: interrupted\n"
    (row,) = csv.DictReader(exported.read_text().splitlines())
    assert (row["complete"], row["images"]) == ("False", "5")


def test_a_server_that_is_lost_leaves_what_was_measured(
    server: str, image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    estimate, calls = Client.estimate, itertools.count(1)

    def estimate_for_a_while(client: Client, *args: Any, **kwargs: Any) -> Result:
        if next(calls) > 5:
            raise UnavailableError("connection lost")
        return estimate(client, *args, **kwargs)

    monkeypatch.setattr(bench, "_WARM_UP_SECS", 0.0)
    monkeypatch.setattr(Client, "estimate", estimate_for_a_while)
    load = ["--seconds", "600", "--image", str(image), "--json"]
    assert main(["bench", "--server", server, *load]) == 1
    out, err = capsys.readouterr()
    figures = json.loads(out)
    assert (figures["images"], figures["complete"]) == (5, False)
    assert err.startswith(f"posewire: server {server}: UNAVAILABLE: connection lost; want")


@pytest.mark.parametrize("given", ["0", "1,", "a", "1.5", "-1", "1,99999"])
def test_a_concurrency_is_a_list_of_numbers(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--server", "localhost:1", f"--concurrency={given}"]) == 2
    assert f"got '{given}', want whole numbers from 1 to 4096" in capsys.readouterr().err


def test_a_table_tells_people(server: str, image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load = ["--seconds", "0.3", "--image", str(image)]
    assert main(["bench", "--server", server, *load]) == 0
    first, titles, *rows = capsys.readouterr().out.splitlines()
    assert first.startswith("painted: ")
    assert " images, unary calls, concurrency 1, " in first
    assert titles.split() == ["milliseconds", "p50", "p90", "p95", "p99"]
    assert rows[0].startswith("round trip ")
    assert rows[-1].startswith("total ")


def test_frames_that_fail_are_counted(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(b"noise")
    load = ["--calls", "stream", "--seconds", "0.3", "--image", str(path)]
    assert main(["bench", "--server", server, *load]) == 1
    out = capsys.readouterr().out
    assert "failed; first error: --image: got 5 bytes of no known format" in out


def test_a_call_that_fails_is_one_line(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "noise.png"
    path.write_bytes(b"noise")
    assert main(["bench", "--server", server, "--seconds", "0.3", "--image", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"posewire: server {server}: image: got 5 bytes of no known format")
    assert err.count("\n") == 1


def test_a_window_is_a_streams(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--server", "localhost:1", "--window", "2"]) == 2
    assert "--window: only with --calls stream" in capsys.readouterr().err
