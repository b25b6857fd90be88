"""The table of docs/clients.md names what each client has, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.code_blocks import ROOT

PAGE = ROOT / "docs" / "clients.md"
SOURCES = {
    "Python": ["clients/python/posewire_client/**/*.py", "pyproject.toml"],
    "Go": ["clients/go/*.go", "clients/go/cmd/*/*.go"],
    # The messages of the contract are a part of the library.
    "C++": [
        "clients/cpp/include/**/*.hpp",
        "clients/cpp/bench/posebench.cpp",
        "proto/posewire/v1/*.proto",
    ],
}


def cells(client: str) -> list[str]:
    """What the table says of one client."""
    text = PAGE.read_text().partition("<!-- Begin of the table")[2].partition("<!-- End")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    column = 0
    found = []
    for row in rows:
        if client in [cell.strip() for cell in row]:
            column = [cell.strip() for cell in row].index(client)
        elif not set(row[0]) <= {"-"}:
            found.append(row[column].strip())
    return found


def sources(client: str) -> str:
    paths = {path for pattern in SOURCES[client] for path in ROOT.glob(pattern)}
    return "\n".join(path.read_text() for path in sorted(paths) if not is_test(path))


def is_test(path: Path) -> bool:
    return path.name.endswith("_test.go")


@pytest.mark.parametrize("client", SOURCES)
def test_every_name_in_the_table_is_in_the_client(client: str) -> None:
    found = cells(client)
    assert len(found) > 30
    names = [name for cell in found for name in re.findall(r"`([^`]+)`", cell)]
    text = sources(client)
    missing = [name for name in names if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    assert missing == []
