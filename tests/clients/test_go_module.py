"""The program of docs/go_client.md works in an empty directory, with the module that it names."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from posewire_server.sample import STILL
from tests.docs.code_blocks import ROOT, CodeBlock, code_blocks

PAGE = ROOT / "docs" / "go_client.md"
MODULE = "github.com/posewire/posewire/clients/go"
SOURCES = ROOT / "clients" / "go"
TIMEOUT = 300
MINIMUM = (1, 26)


def blocks(language: str) -> list[CodeBlock]:
    return [block for block in code_blocks(PAGE) if block.language == language]


@pytest.fixture
def go() -> str:
    """The command go, new enough for the module."""
    packaged = (ROOT / "build" / "tools").glob("go-*/go/bin/go")
    for command in filter(None, [shutil.which("go"), *map(str, sorted(packaged))]):
        version = subprocess.run([command, "version"], capture_output=True, text=True, check=True)
        found = re.search(r"go(\d+)\.(\d+)", version.stdout)
        if found and (int(found[1]), int(found[2])) >= MINIMUM:
            return command
    missing = "no Go 1.26 or newer: make gotoolchain installs one"
    raise (pytest.fail if "CI" in os.environ else pytest.skip).Exception(missing)


@pytest.fixture
def module_cache(go: str) -> Path:
    """Go's cache of modules, which the client's own build has filled."""
    command = [go, "env", "GOMODCACHE"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())


@pytest.fixture
def proxy(module_cache: Path, tmp_path: Path) -> Iterator[Path]:
    """A proxy of Go modules with a release of the client, as one serves a tagged commit."""
    version = f"v0.1.{time.time_ns()}"  # no other run puts it into the cache
    versions = tmp_path / "proxy" / MODULE / "@v"
    versions.mkdir(parents=True)
    (versions / "list").write_text(version + "\n")
    info = {"Version": version, "Time": "2026-01-01T00:00:00Z"}
    (versions / f"{version}.info").write_text(json.dumps(info))
    shutil.copy(SOURCES / "go.mod", versions / f"{version}.mod")
    nested = [path.parent for path in SOURCES.glob("*/**/go.mod")]
    with zipfile.ZipFile(versions / f"{version}.zip", "w") as archive:
        for path in SOURCES.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(other) for other in nested):
                archive.write(path, f"{MODULE}@{version}/{path.relative_to(SOURCES)}")
    yield tmp_path / "proxy"
    unpacked = module_cache / f"{MODULE}@{version}"
    shutil.rmtree(unpacked, ignore_errors=True)
    downloaded = module_cache / "cache" / "download" / MODULE / "@v"
    for path in [*downloaded.glob(f"{version}.*"), downloaded / "list"]:
        path.unlink(missing_ok=True)
    for directory in (unpacked.parent, downloaded):
        with suppress(OSError):  # other versions are there
            os.removedirs(directory)


def run(script: str, directory: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("source", ["release", "checkout"])
def test_the_program_runs_in_an_empty_directory(
    source: str, go: str, module_cache: Path, proxy: Path, address: str, tmp_path: Path
) -> None:
    # As in the page, where the checkout is beside the new directory.
    (tmp_path / "posewire").symlink_to(ROOT)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(go).parent), os.environ["PATH"]]),
        "GOPROXY": f"file://{proxy},file://{module_cache}/cache/download",
        "GOSUMDB": "off",
        "GOFLAGS": "-modcacherw",
    }
    script = blocks("sh")[["release", "checkout"].index(source)].text
    run(script, tmp_path, environment)
    people = tmp_path / "people"
    (people / "main.go").write_text(blocks("go")[0].text.replace("127.0.0.1:50051", address))
    shutil.copy(STILL, people / "people.jpg")
    lines = run("go run .", people, environment).splitlines()
    assert lines[0] == blocks("text")[0].text.splitlines()[0]
    assert len(lines) == 6
