"""The installed C++ library builds a project that has nothing else of this repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from posewire_server.sample import STILL

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "clients" / "cpp"
QUICKSTART = ROOT / "clients" / "cpp" / "examples" / "quickstart"
FETCHCONTENT = ROOT / "clients" / "cpp" / "examples" / "fetchcontent"
TIMEOUT = 300

pytestmark = pytest.mark.skipif(
    not (BUILD / "libposewire_client.a").exists() and "CI" not in os.environ,
    reason=f"no {BUILD}: make examples builds it, with the packages in docs/cpp_client.md",
)


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The prefix of an installation."""
    run("cmake", "--install", BUILD, "--prefix", tmp_path / "prefix", cwd=tmp_path)
    return tmp_path / "prefix"


def test_a_project_finds_the_library_and_calls_a_server(
    installed: Path, address: str, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(QUICKSTART, project)
    source = project / "quickstart.cpp"
    source.write_text(source.read_text().replace("127.0.0.1:50051", address))
    shutil.copy(STILL, project / "people.jpg")
    run("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={installed}", cwd=project)
    run("cmake", "--build", "build", cwd=project)
    assert run("build/quickstart", cwd=project).endswith(" people\n")


def test_a_project_fetches_the_library(tmp_path: Path) -> None:
    """Configures it only: a build takes minutes, and is that of the library."""
    fetched = f"-DFETCHCONTENT_SOURCE_DIR_POSEWIRE={ROOT}"
    run("cmake", "-S", FETCHCONTENT, "-B", "build", fetched, cwd=tmp_path)
    listed = run("cmake", "--build", "build", "--target", "help", cwd=tmp_path)
    targets = set(re.split(r"[\s:]+", listed))
    assert {"quickstart", "posewire_client"} <= targets
    assert "posebench" not in targets  # nor other programs


def test_nothing_private_is_installed(installed: Path) -> None:
    headers = {str(each.relative_to(installed)) for each in installed.rglob("*.h*")}
    assert "include/posewire/client.hpp" in headers
    assert "include/posewire/v1/pose_service.pb.h" in headers
    assert not any(name.endswith(("session.hpp", "backoff.hpp")) for name in headers)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("CMakeLists.txt", "project(posewire_client VERSION {} "),
        ("packaging/conan/conanfile.py", 'version = "{}"'),
        ("packaging/vcpkg/posewire/vcpkg.json", '"version": "{}"'),
    ],
)
def test_the_version_is_that_of_the_project(path: str, line: str) -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    version = next(
        line.split('"')[1] for line in pyproject.splitlines() if line.startswith("version = ")
    )
    assert line.format(version) in (ROOT / "clients" / "cpp" / path).read_text()
