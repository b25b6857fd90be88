"""Read the call table; its head describes the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).parents[1] / "calls.yaml"


@dataclass(frozen=True, slots=True)
class Ask:
    """What the client's program asks of the test, and when."""

    what: str
    after_outcomes: int | None = None
    after_frames: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. An unknown key of the table is an error."""

    name: str
    expect: Mapping[str, Any]
    call: str = "estimate"
    server: str = "real"
    model: str = ""
    image: Any = None
    frames: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    delivery: str = "lossless"
    window: int | None = None
    max_frame_age_secs: float | None = None
    track: bool = False
    smoothing: bool = False
    smoothing_options: Mapping[str, Any] | None = None
    paced: bool = False
    cancel_after_outcomes: int | None = None
    close_after_outcomes: int | None = None
    close_when_called: bool = False
    ask: Ask | None = None
    tls: Mapping[str, str] | None = None
    token: str = ""
    timeout_secs: float = 120
    retry_for_secs: float = 120
    without: tuple[str, ...] = ()
    refused_by: tuple[str, ...] = ()


def read_calls(path: Path = TABLE) -> list[Call]:
    """Return the calls of the table, in its order."""
    return [_call(**document) for document in yaml.safe_load(path.read_text())]


def _call(ask: Mapping[str, Any] | None = None, **document: Any) -> Call:
    for key in ("frames", "without", "refused_by"):
        document[key] = tuple(document.get(key, ()))
    return Call(ask=None if ask is None else Ask(**ask), **document)
