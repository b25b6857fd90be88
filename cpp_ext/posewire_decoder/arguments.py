"""Type checks that name the argument, what came and what is wanted.

pybind11's own message for a wrong type prints every argument, arrays too, and names none.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np

_INT_MAX = 2**31 - 1


def _wrong(name: str, value: object, wanted: str) -> TypeError:
    return TypeError(f"{name}: got {value!r}, want {wanted}")


def number(name: str, value: object) -> float:
    if type(value) is float:  # nearly always, and several times as fast to ask
        return value
    if not isinstance(value, Real) or isinstance(value, bool):
        raise _wrong(name, value, "a number")
    return float(value)


def integer(name: str, value: object) -> int:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise _wrong(name, value, "an integer")
    return max(min(int(value), _INT_MAX), -_INT_MAX)  # beyond it every limit means the same


def flag(name: str, value: object) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise _wrong(name, value, "True or False")
    return bool(value)


def text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return value


def pair(name: str, value: object) -> tuple[object, object]:
    if not isinstance(value, Sequence) or len(value) != 2:
        raise _wrong(name, value, "a pair (x, y)")
    return value[0], value[1]


def indices(name: str, value: object) -> list[int]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(name, value, "a sequence of integers")
    return [integer(name, each) for each in value]


def numbers(name: str, value: object) -> list[float]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(name, value, "a sequence of numbers")
    return [number(name, each) for each in value]
