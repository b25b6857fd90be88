"""The program of docs/go_client.md works in an empty directory, with the module that it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from posewire_server.sample import STILL
from tests.docs.code_blocks import ROOT, CodeBlock, code_blocks

PAGE = ROOT / "docs" / "go_client.md"
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


def test_the_program_runs_in_an_empty_directory(go: str, address: str, tmp_path: Path) -> None:
    # As in the page, where the checkout is beside the new directory.
    (tmp_path / "posewire").symlink_to(ROOT)
    # Modules come from the cache that the client's own build has filled.
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(go).parent), os.environ["PATH"]]),
        "GOPROXY": "off",
        "GONOSUMDB": "*",
        "GOFLAGS": "-mod=mod",
    }

    def run(script: str, directory: Path) -> str:
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

    run(blocks("sh")[0].text, tmp_path)
    people = tmp_path / "people"
    (people / "main.go").write_text(blocks("go")[0].text.replace("127.0.0.1:50051", address))
    shutil.copy(STILL, people / "people.jpg")
    lines = run("go run .", people).splitlines()
    assert lines[0] == blocks("text")[0].text.splitlines()[0]
    assert len(lines) == 6
