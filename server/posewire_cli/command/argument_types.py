"""Arguments that are numbers of some kind, each refused with what came and what is wanted."""

from __future__ import annotations

import argparse
import math


def count(text: str) -> int:
    """A whole number, at least 1."""
    if not text.isdecimal() or not 1 <= int(text) < 1 << 30:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a whole number from 1 to {2**30 - 1}")
    return int(text)


def seconds(text: str) -> float:
    """A time that is not zero."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a number of seconds above 0")
    return value


def score(text: str) -> float:
    """A pose's or a keypoint's score."""
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, want a number from 0 to 1")
    return value


def region(text: str) -> tuple[float, float, float, float]:
    """x and y of two corners in frame space, the smaller ones first."""
    sides = [_number(part) for part in text.split(",")]
    if len(sides) != 4 or not all(map(math.isfinite, sides)):
        raise argparse.ArgumentTypeError(f"got {text!r}, want four numbers X_MIN,Y_MIN,X_MAX,Y_MAX")
    x_min, y_min, x_max, y_max = sides
    return x_min, y_min, x_max, y_max


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
