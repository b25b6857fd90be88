"""The model catalog as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from posewire_cli.output.columns import format_columns
from posewire_server.geometry import InputGeometry
from posewire_server.models.catalog_entry import (
    PRECISIONS,
    Bundled,
    CatalogEntry,
    Converted,
    Prebuilt,
    UserSupplied,
)
from posewire_server.models.installed import installed_precisions

_HEADERS = ("NAME", "INPUT", "AP", "LICENCE", "DOWNLOAD", "INSTALLED")


def as_table(entries: Iterable[CatalogEntry], *, cache: Path) -> str:
    entries = [*entries]
    marks = _condition_marks(entries)
    rows = [_HEADERS, *(_row(entry, cache, marks) for entry in entries)]
    table = format_columns(rows, align="<<<<<<")
    legend = "; ".join(f"{mark} {conditions}".lstrip() for conditions, mark in marks.items())
    return f"{table}\n\nAP in percent, as published: {legend}\nCache: {cache}"


def as_json(entries: Iterable[CatalogEntry], *, cache: Path) -> str:
    models = [_as_record(entry, cache) for entry in entries]
    return json.dumps({"cache": str(cache), "models": models}, indent=2)


def _condition_marks(entries: Iterable[CatalogEntry]) -> dict[str, str]:
    """Return a mark for the conditions of each AP: under different ones, AP is not comparable."""
    conditions = dict.fromkeys(entry.accuracy.conditions for entry in entries if entry.accuracy)
    return {each: "*" * number for number, each in enumerate(conditions)}


def _row(entry: CatalogEntry, cache: Path, marks: Mapping[str, str]) -> tuple[str, ...]:
    accuracy = entry.accuracy
    return (
        entry.name,
        _input(entry.geometry),
        f"{accuracy.average_precision:g}{marks[accuracy.conditions]}" if accuracy else "-",
        entry.licence,
        _download(entry),
        ", ".join(installed_precisions(entry, cache=cache)) or "-",
    )


def _input(geometry: InputGeometry) -> str:
    side = {"short_side": "short side", "inside": "long side"}[geometry.fit]
    return f"{side} {geometry.size}"


def _download(entry: CatalogEntry) -> str:
    if isinstance(entry.origin, Bundled):
        return "none"
    if isinstance(entry.origin, UserSupplied):
        return "by hand"
    return f"{sum(file.size for file in entry.files('fp32')) / 1e6:.0f} MB"


def _as_record(entry: CatalogEntry, cache: Path) -> dict[str, Any]:
    return {
        "name": entry.name,
        "summary": entry.summary,
        "licence": entry.licence,
        "geometry": asdict(entry.geometry),
        "delta": entry.delta,
        "accuracy": None if entry.accuracy is None else asdict(entry.accuracy),
        "installed": installed_precisions(entry, cache=cache),
        "origin": _origin(entry),
        "files": {
            precision: [asdict(file) for file in entry.files(precision)]
            for precision in PRECISIONS
            if isinstance(entry.origin, Prebuilt | Converted)
        },
    }


def _origin(entry: CatalogEntry) -> dict[str, str]:
    origin = entry.origin
    if isinstance(origin, Bundled):
        return {"kind": "bundled"}
    if isinstance(origin, UserSupplied):
        return {"kind": "user_supplied", "checkpoint": origin.checkpoint, "page": origin.page}
    return {"kind": "prebuilt" if isinstance(origin, Prebuilt) else "converted"}
