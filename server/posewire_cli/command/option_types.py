"""Types that several options share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, Token
from cyclopts.validators import Number

from posewire.address import parse_address
from posewire_client import Box
from posewire_client.target import check_target

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

# Each is a thread.
_MAX_CALLERS = 4096

Count = Annotated[int, Parameter(validator=Number(gte=1, lt=1 << 30))]
Seconds = Annotated[float, Parameter(validator=Number(gt=0, lt=math.inf))]
Patience = Annotated[float, Parameter(validator=Number(gte=0))]
Score = Annotated[float, Parameter(validator=Number(gte=0, lte=1))]


def parse_output(_type: Any, tokens: Sequence[Token]) -> Path:
    """Convert the name of a file or directory. Raises `ValueError` for an empty one."""
    if not tokens[0].value:
        raise ValueError("got an empty name, want a file or directory")
    return Path(tokens[0].value)


OutputPath = Annotated[Path, Parameter(converter=parse_output, n_tokens=1, accepts_keys=False)]


def check_listen_address(_type: Any, address: str) -> None:
    """Raise `ValueError` for an address on which no server can listen."""
    parse_address(address)


def check_server_target(_type: Any, target: str | None) -> None:
    """Raise `ValueError` for an address that no client can call."""
    if target is not None:
        check_target(target)


def changed_options(options: DataclassInstance) -> list[str]:
    """Return the names, as typed, of options that differ from their defaults."""
    return [
        f"--{field.name.replace('_', '-')}"
        for field in fields(options)
        if getattr(options, field.name) != field.default
    ]


def parse_counts(_type: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    """Convert a list such as 1,2,4. Raises `ValueError` for anything else."""
    text = ",".join(token.value for token in tokens)
    counts = [int(each) if each.isascii() and each.isdecimal() else 0 for each in text.split(",")]
    if not all(1 <= each <= _MAX_CALLERS for each in counts):
        raise ValueError(f"got {text!r}, want whole numbers from 1 to {_MAX_CALLERS}, as in 1,2,4")
    return tuple(counts)


def parse_box(_type: Any, tokens: Sequence[Token]) -> Box:
    """Convert X0,Y0,X1,Y1. Raises `ValueError` unless these are four finite numbers."""
    text = tokens[0].value
    try:
        x0, y0, x1, y1 = map(float, text.split(","))
    except ValueError:
        x0 = y0 = x1 = y1 = math.nan
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise ValueError(f"got {text!r}, want four numbers X0,Y0,X1,Y1")
    if x0 > x1 or y0 > y1:
        raise ValueError(f"got {text!r}, want X0 <= X1 and Y0 <= Y1")
    return Box(x0, y0, x1, y1)
