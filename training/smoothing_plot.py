"""An SVG of positions over time, before and after smoothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 470, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 40, 44
_LINES = (  # what, colour, width, dashes
    ("truth", "#8a8a8a", 2.0, "5 4"),
    ("raw", "#e07b39", 1.5, ""),
    ("smoothed", "#1f6f8b", 2.2, ""),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """A position in each frame, in percent of the person's scale."""

    title: str
    truth: Sequence[float]
    raw: Sequence[float]
    smoothed: Sequence[float]


def draw_curves(curves: Sequence[Curve], *, rate: float) -> str:
    """Return the SVG, with the curves side by side; `rate`: frames per second."""
    width = _WIDTH * len(curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" '
        'font-family="sans-serif" font-size="13" role="img">',
        "  <title>Positions of keypoints over time: true, raw and smoothed</title>",
        f'  <rect width="{width}" height="{_HEIGHT}" rx="8" fill="#ffffff"/>',
    ]
    for n, curve in enumerate(curves):
        parts.append(f'  <g transform="translate({n * _WIDTH} 0)">')
        parts += [f"    {part}" for part in _panel(curve, rate)]
        parts.append("  </g>")
    return "\n".join([*parts, "</svg>", ""])


def _panel(curve: Curve, rate: float) -> Iterator[str]:
    values = [*curve.truth, *curve.raw, *curve.smoothed]
    low, high = min(values), max(values)
    margin = 0.06 * max(high - low, 1e-6)
    low, high = low - margin, high + margin
    last = len(curve.truth) - 1
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT

    def x(frame: float) -> float:
        return _LEFT + (right - _LEFT) * frame / last

    def y(value: float) -> float:
        return bottom - (bottom - _TOP) * (value - low) / (high - low)

    yield f'<text x="{_LEFT}" y="24" font-weight="bold">{escape(curve.title)}</text>'
    for value in _ticks(low, high):
        yield f'<path d="M{_LEFT} {y(value):.1f}H{right}" stroke="#e6e6e6"/>'
        yield _text(_LEFT - 6, y(value) + 4, f"{value:g}", anchor="end")
    for secs in _ticks(0, last / rate):
        yield _text(x(secs * rate), bottom + 17, f"{secs:g}", anchor="middle")
    yield _text((_LEFT + right) / 2, _HEIGHT - 10, "seconds", anchor="middle")
    yield (
        f'<text transform="translate(14 {(_TOP + bottom) / 2:.0f}) rotate(-90)" '
        'text-anchor="middle" fill="#555555">x, percent of scale</text>'
    )
    for i, (name, colour, width, dashes) in enumerate(_LINES):
        points = " ".join(f"{x(f):.1f},{y(v):.1f}" for f, v in enumerate(getattr(curve, name)))
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        look = f'fill="none" stroke="{colour}" stroke-width="{width}"{dash}'
        yield f'<polyline {look} stroke-linejoin="round" points="{points}"/>'
        start = right - 82 * (len(_LINES) - i)
        yield f'<path d="M{start} 20h18" {look}/>'
        yield _text(start + 23, 24, name)


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#555555">{text}</text>'


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers within the range, three to seven of them."""
    step = next(
        step
        for power in range(-6, 7)
        for step in (10.0**power, 2 * 10.0**power, 5 * 10.0**power)
        if (high - low) / step <= 6
    )
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [round(step * n, 9) for n in numbers]
