"""The C++ and the Go that README.md shows is what the programs say."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = {"cpp": "clients/cpp/estimate.cpp", "go": "clients/go/cmd/estimate/main.go"}


def test_excerpts_are_what_the_programs_say() -> None:
    page = (ROOT / "README.md").read_text()
    excerpts = re.findall(r"^```(cpp|go)\n(.+?)^```$", page, re.DOTALL | re.MULTILINE)
    assert {language for language, _ in excerpts} == PROGRAMS.keys()
    for language, excerpt in excerpts:
        assert excerpt in (ROOT / PROGRAMS[language]).read_text()
