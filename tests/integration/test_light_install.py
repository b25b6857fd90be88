"""With the packages of the extra `cli` alone, commands use a running server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from posewire_server.sample import CLIP, STILL
from tests.reference.numbered_frames import SIDE, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.server_thread import serving

# What the extras server and eval install beyond it.
MISSING = (
    "filelock",
    "grpc_health",
    "grpc_reflection",
    "grpc_status",
    "httpx",
    "openvino",
    "platformdirs",
    "prometheus_client",
    "pycocotools",
)
MAIN = f"""
import sys
sys.modules.update(dict.fromkeys({MISSING}))  # None: importing it raises ModuleNotFoundError
from posewire_cli.command import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(painted_model(PaintingRunner(person_of, capacity=2), size=SIDE)) as running:
        yield running.address


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (["predict", str(STILL), "--annotated", "d", "--openpose", "o"], "512x384, 1 person"),
        (["stream", str(CLIP), "--frames", "3", "--annotated", "drawn.avi"], "3 frames"),
        (["bench", "--seconds", "0.1", "--calls", "stream"], "images/s"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_commands_use_a_running_server(
    server: str, tmp_path: Path, command: list[str], printed: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", MAIN, *command, "--server", server],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert printed in done.stdout
