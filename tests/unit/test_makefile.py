from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("awk", "find", "nproc", "python3", "sh", "uname")


@pytest.mark.parametrize("has_cmake", [True, False])
def test_examples_need_a_python_environment_only_without_cmake(
    tmp_path: Path, has_cmake: bool
) -> None:
    make = shutil.which("make")
    assert make is not None
    for name in TOOLS:
        (tmp_path / name).symlink_to(shutil.which(name) or "/bin/false")
    if has_cmake:
        (tmp_path / "cmake").symlink_to("/bin/true")
    # The Go programs are another matter: in CI they get a toolchain through pip.
    dry_run = [make, "--dry-run", "GO=", f"VENV={tmp_path / 'venv'}", "examples"]
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    done = subprocess.run(
        dry_run,
        cwd=ROOT,
        env={**environment, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "cmake --build build/clients/cpp" in done.stdout
    assert ("-m venv" in done.stdout) is not has_cmake
    assert ("pip install" in done.stdout) is not has_cmake
