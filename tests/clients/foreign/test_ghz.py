"""ghz loads the server, and all its calls succeed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from tests.clients.foreign import calls, programs

FILES = [
    f"--import-paths={programs.PROTO}",
    f"--proto={programs.PROTO / 'posewire' / 'v1' / 'pose_service.proto'}",
]


class Load:
    """Runs ghz with the messages of a call in a file."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data.json"

    def __call__(
        self, address: str, method: str, *messages: Message, total: int, files: bool = False
    ) -> dict[str, Any]:
        data = [MessageToDict(each) for each in messages]
        self._data.write_text(json.dumps(data if len(data) > 1 else data[0]))
        done = programs.run(
            programs.go_program("ghz"),
            "--insecure",
            *(FILES if files else []),
            f"--call={calls.SERVICE}.{method}",
            f"--data-file={self._data}",
            "--disable-template-data",
            "--concurrency=3",
            f"--total={total}",
            "--timeout=60s",
            "--format=json",
            address,
        )
        assert (done.returncode, done.stderr) == (0, "")
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["count"] == total
        return report


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return Load(tmp_path)


def test_all_images_are_answered_by_reflection(load: Load, reflecting: str) -> None:
    report = load(reflecting, "EstimatePoses", calls.ESTIMATE, total=12)
    assert report["statusCodeDistribution"] == {"OK": 12}


def test_all_streams_end_well_by_the_files(load: Load, address: str) -> None:
    report = load(address, "StreamPoses", *calls.STREAM, total=6, files=True)
    assert report["statusCodeDistribution"] == {"OK": 6}


def test_errors_are_counted_by_their_code(load: Load, reflecting: str) -> None:
    report = load(reflecting, "EstimatePoses", calls.REFUSED, total=9)
    assert report["statusCodeDistribution"] == {"InvalidArgument": 9}
