"""Pictures of a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

# In pixels. Each line is stretched to the width of its characters, whatever the viewer's font.
_CHARACTER = 7.8
_LINE = 18
_MARGIN = 16
_COLUMNS = 88

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" \
viewBox="0 0 {width} {height}" role="img" xml:space="preserve">
<title>{title}</title>
<style>
  text {{ font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
    fill: #c9d4d8; white-space: pre }}
  .typed {{ fill: #ffffff; font-weight: bold }}
  .prompt {{ fill: #3ddc84 }}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#17212b"/>
{lines}
</svg>
"""


@dataclass(frozen=True, slots=True)
class Step:
    """A command and what it printed."""

    command: str
    output: str


def render(steps: Sequence[Step]) -> str:
    """Return an SVG document. Long lines of output are wrapped."""
    rows = [*_rows(steps)]
    return _SVG.format(
        width=round(_COLUMNS * _CHARACTER + 2 * _MARGIN),
        height=len(rows) * _LINE + 2 * _MARGIN - 4,
        title=escape("; ".join(step.command for step in steps)),
        lines="\n".join(_text(i, *row) for i, row in enumerate(rows) if row[0]),
    )


def _rows(steps: Sequence[Step]) -> Iterator[tuple[str, bool]]:
    """Yield lines, and whether they are typed."""
    for step in steps:
        yield step.command, True
        for line in step.output.rstrip().expandtabs().splitlines():
            for part in textwrap.wrap(line, _COLUMNS, replace_whitespace=False) or [""]:
                yield part, False


def _text(row: int, text: str, is_typed: bool) -> str:
    y = _MARGIN + (row + 0.7) * _LINE
    if not is_typed:
        return _span(text, _MARGIN, y, "")
    prompt = _span("$", _MARGIN, y, ' class="prompt"')
    return prompt + _span(text, _MARGIN + 2 * _CHARACTER, y, ' class="typed"')


def _span(text: str, x: float, y: float, kind: str) -> str:
    indent = len(text) - len(text.lstrip())
    shown = text[indent:]
    length = len(shown) * _CHARACTER
    return (
        f'<text x="{x + indent * _CHARACTER:.1f}" y="{y:.1f}" textLength="{length:.1f}"{kind}>'
        f"{escape(shown, quote=False)}</text>"
    )
