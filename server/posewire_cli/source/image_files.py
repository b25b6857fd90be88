"""Image files, as people name them: by path, directory or pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from posewire_cli.errors import SourceError

# Of the formats that the server decodes.
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def image_files(given: Sequence[str]) -> list[Path]:
    """The files in the order given, those of a directory or a pattern by name, none twice.

    Raises `SourceError` for a path that does not exist and a directory or pattern without images.
    """
    return list(dict.fromkeys(path for each in given for path in _files(each)))


def image_ids(paths: Sequence[Path]) -> list[int]:
    """Numbers for COCO's format: those in the names if all are different numbers, else from 1 on.

    COCO's own files are called by their ids.
    """
    stems = [path.stem for path in paths]
    if all(stem.isdecimal() for stem in stems) and len(set(map(int, stems))) == len(stems):
        return [int(stem) for stem in stems]
    return list(range(1, len(paths) + 1))


def _files(given: str) -> Iterator[Path]:
    path = Path(given)
    if path.is_dir():
        yield from _found(given, (each for each in path.iterdir() if _is_image(each)))
    elif path.exists():
        yield path
    elif glob.has_magic(given):
        matches = map(Path, glob.iglob(given, recursive=True))
        yield from _found(given, (each for each in matches if each.is_file()))
    else:
        raise SourceError(f"{given}: there is no such file, want an image, a directory or a glob")


def _found(given: str, paths: Iterator[Path]) -> list[Path]:
    found = sorted(paths)
    if not found:
        raise SourceError(f"{given}: got no images there, want some of {', '.join(_SUFFIXES)}")
    return found


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()
