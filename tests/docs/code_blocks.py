"""The code blocks of a Markdown page.

A comment on the line before a block says what a reader need not see:

    <!-- not run: why -->
    <!-- needs: programs that may be missing -->
    <!-- printed: by the block above -->

In what is printed, "..." stands for any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)

_BLOCK = re.compile(
    r"""
    (?:^\ *<!--\ (?P<word>not\ run|needs|printed):\ (?P<rest>.+?)\ -->\n)?
    ^(?P<indent>\ *)```(?:\ \{\ \.)?(?P<language>\w*)[^\n]*\n
    (?P<text>.*?)
    ^(?P=indent)```$
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """`line` is that of the text's first line. `needs`: programs without which it cannot run."""

    page: Path
    line: int
    language: str
    text: str
    is_run: bool
    needs: tuple[str, ...]
    is_output: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def code_blocks(page: Path) -> Iterator[CodeBlock]:
    content = page.read_text()
    for match in _BLOCK.finditer(content):
        yield CodeBlock(
            page,
            content.count("\n", 0, match.start("text")) + 1,
            match["language"],
            re.sub(f"^{match['indent']}", "", match["text"], flags=re.MULTILINE),
            is_run=match["word"] != "not run",
            needs=tuple(match["rest"].split()) if match["word"] == "needs" else (),
            is_output=match["word"] == "printed",
        )
