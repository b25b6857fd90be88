"""Check arguments before anything is sent."""

from __future__ import annotations

import math
from numbers import Integral, Real

_MAX_COUNT = (1 << 32) - 1  # uint32 on the wire


def check_count(name: str, value: object) -> None:
    """Raise TypeError or ValueError unless the value is None or a number from 1 on."""
    if value is None:
        return
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}, want a whole number")
    if int(value) < 1:
        raise ValueError(f"{name}: got {value}, want 1 or more")
    if int(value) > _MAX_COUNT:
        raise ValueError(f"{name}: got {value}, want at most {_MAX_COUNT}")


def check_score(name: str, value: object) -> None:
    """Raise TypeError or ValueError unless the value is None or a number from 0 to 1."""
    check_range(name, value, 0, 1)


def check_range(name: str, value: object, low: float, high: float) -> None:
    """Raise TypeError or ValueError unless the value is None or a number from `low` to `high`."""
    if value is not None and not low <= _number(name, value) <= high:
        raise ValueError(f"{name}: got {value}, want a number from {low:g} to {high:g}")


def check_age(name: str, value: object) -> None:
    """Raise TypeError or ValueError unless the value is None or a positive number."""
    if value is None:
        return
    if not 0 < _number(name, value) < math.inf:
        raise ValueError(f"{name}: got {value}, want a positive, finite number")


def check_flag(name: str, value: object) -> None:
    """Raise TypeError unless the value is None, True or False."""
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}, want True or False")


def _number(name: str, value: object) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name}: got {value!r}, want a number")
    return float(value)
