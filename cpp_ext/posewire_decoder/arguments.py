"""Type checks whose errors name the argument, what it got and what it wants.

pybind11's own message for a wrong type prints every argument, arrays too, and names none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

_INT_MAX = 2**31 - 1


def _checked(name: str, value: object, is_fit: bool, wanted: str) -> Any:
    if not is_fit:
        raise TypeError(f"{name}: got {value!r}, want {wanted}")
    return value


def number(name: str, value: object) -> float:
    if type(value) is float:  # the usual case, and several times as fast to check
        return value
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    return float(_checked(name, value, is_real, "a number"))


def integer(name: str, value: object) -> int:
    is_integral = isinstance(value, Integral) and not isinstance(value, bool)
    result = int(_checked(name, value, is_integral, "an integer"))
    return max(min(result, _INT_MAX), -_INT_MAX)  # beyond it limits do not differ


def flag(name: str, value: object) -> bool:
    return bool(_checked(name, value, isinstance(value, (bool, np.bool_)), "True or False"))


def text(name: str, value: object) -> str:
    return str(_checked(name, value, isinstance(value, str), "a string"))


def pair(name: str, value: object) -> tuple[float, float]:
    is_pair = isinstance(value, Sequence) and len(value) == 2
    x, y = _checked(name, value, is_pair, "a pair (x, y)")
    return number(f"{name} x", x), number(f"{name} y", y)


def indices(name: str, value: object) -> list[int]:
    is_sequence = isinstance(value, Sequence) and not isinstance(value, str)
    values = _checked(name, value, is_sequence, "a sequence of integers")
    return [integer(name, each) for each in values]


def numbers(name: str, value: object) -> list[float]:
    is_sequence = isinstance(value, Sequence) and not isinstance(value, str)
    values = _checked(name, value, is_sequence, "a sequence of numbers")
    return [number(name, each) for each in values]


CONVERTERS: dict[type, Callable[[str, object], object]] = {
    float: number,
    int: integer,
    str: text,
    tuple: pair,
    list: indices,
}
"""How to convert an argument to the type of a compiled option."""
