"""What keeps the mesh from running is said, and nothing outlives it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mesh.conditions import obstacles_to_mesh
from tests.mesh.namespaces import obstacles

ROOT = Path(__file__).parents[2]
TIMEOUT = 60
# Starts a program that would go on, and tells when that runs.
INSIDE = """
import subprocess, time
from tests.mesh.namespaces import watch_parent
watch_parent()
subprocess.Popen(["sleep", "1000"])
print("started", flush=True)
time.sleep(1000)
"""
OUTSIDE = f"""
import sys
from tests.mesh.namespaces import run_inside
sys.exit(run_inside([sys.executable, "-c", {INSIDE!r}]))
"""


def place(folder: Path, **programs: str) -> None:
    for name, script in programs.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


def test_missing_commands_are_named_with_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, unshare="", nsenter="")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert obstacles() == ["the command ip is missing: install iproute2"]


def test_a_kernel_that_permits_no_namespaces_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = "unshare: unshare failed: Operation not permitted"
    place(tmp_path, ip="", nsenter="", unshare=f"echo '{refusal}' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    (obstacle,) = obstacles()
    assert obstacle.startswith("the kernel permits no namespaces to user ")
    assert obstacle.endswith(refusal)


def test_a_missing_envoy_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "envoy"
    assert [each for each in obstacles_to_mesh(missing) if str(missing) in each]


@pytest.mark.skipif(bool(obstacles()), reason="needs network namespaces")
@pytest.mark.parametrize("ends", ["terminate", "kill"])
def test_nothing_outlives_the_program(ends: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OUTSIDE], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        getattr(process, ends)()
        # Ends when the last process has closed it.
        output, _ = process.communicate(timeout=TIMEOUT)
        assert output == ""
