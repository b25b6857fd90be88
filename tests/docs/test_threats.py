"""The tests that the page on security names exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.code_blocks import ROOT

ROWS = [
    line
    for line in (ROOT / "docs" / "security.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| attack |")
]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0][2:])
def test_each_threat_is_tried_by_a_test_that_exists(row: str) -> None:
    named = TEST.findall(row.split(" | ")[2])
    assert named
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text())
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        assert name in [each.name for each in tree.body if isinstance(each, functions)], path


def test_threats_were_found() -> None:
    assert len(ROWS) > 20
