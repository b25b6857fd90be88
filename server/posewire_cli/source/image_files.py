"""Finds image files by path, directory or pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from posewire_cli.errors import SourceError

# The formats that the server decodes.
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def image_files(patterns: Sequence[str]) -> list[Path]:
    """Return files in the order given, without duplicates; directories and patterns are sorted.

    Raises `SourceError` for a missing path, and for a directory or pattern without images.
    """
    return list(dict.fromkeys(path for pattern in patterns for path in _find(pattern)))


def image_ids(paths: Sequence[Path]) -> list[int]:
    """Return COCO image ids: the file names if all are different numbers, else 1, 2, ...

    COCO names its own files by their ids.
    """
    stems = [path.stem for path in paths]
    if all(stem.isdecimal() for stem in stems) and len(set(map(int, stems))) == len(stems):
        return [int(stem) for stem in stems]
    return list(range(1, len(paths) + 1))


def _find(pattern: str) -> Iterator[Path]:
    path = Path(pattern)
    if path.is_dir():
        yield from _sort(pattern, (each for each in path.iterdir() if _is_image(each)))
    elif path.exists():
        yield path
    elif glob.has_magic(pattern):
        matches = map(Path, glob.iglob(pattern, recursive=True))
        yield from _sort(pattern, (each for each in matches if each.is_file()))
    else:
        raise SourceError(f"{pattern}: no such file, want an image, a directory or a pattern")


def _sort(pattern: str, paths: Iterator[Path]) -> list[Path]:
    found = sorted(paths)
    if not found:
        raise SourceError(f"{pattern}: no images found, want {', '.join(_SUFFIXES)}")
    return found


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()
