"""Finds image files by path, directory or pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from posewire_cli.errors import SourceError
from posewire_cli.source.source_image import SourceImage

# The formats that the server decodes.
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def find_images(arguments: Sequence[str]) -> list[SourceImage]:
    """Return images in the order given, without duplicates; directories and patterns are sorted.

    The stem of a file is its path below the directory, or below the part of the pattern that has no
    wildcards. Raises `SourceError` for a missing path, and for a directory or pattern without
    images.
    """
    found = (image for argument in arguments for image in _find(argument))
    return list({image.name: image for image in found}.values())


def image_ids(images: Sequence[SourceImage]) -> list[int]:
    """Return COCO image ids: the file names if all are different numbers, else 1, 2, ...

    COCO names its own files by their ids.
    """
    names = [os.path.basename(image.stem) for image in images]
    if all(name.isdecimal() for name in names) and len(set(map(int, names))) == len(names):
        return [int(name) for name in names]
    return list(range(1, len(images) + 1))


def _find(argument: str) -> Iterator[SourceImage]:
    path = Path(argument)
    if path.is_dir():
        yield from _sort(argument, (each for each in path.iterdir() if _is_image(each)), path)
    elif path.exists():
        yield _image(path, path.parent)
    elif glob.has_magic(argument):
        matches = map(Path, glob.iglob(argument, recursive=True))
        yield from _sort(argument, (each for each in matches if each.is_file()), _base(argument))
    else:
        raise SourceError(f"{argument}: no such file, want an image, a directory or a pattern")


def _base(pattern: str) -> Path:
    """Return the directories that lead to the first wildcard."""
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _sort(argument: str, paths: Iterator[Path], base: Path) -> list[SourceImage]:
    found = [_image(path, base) for path in sorted(paths)]
    if not found:
        raise SourceError(f"{argument}: no images found, want {', '.join(_SUFFIXES)}")
    return found


def _image(path: Path, base: Path) -> SourceImage:
    below = path.relative_to(base)
    if ".." in below.parts:  # outputs must stay below their directory
        below = Path(path.name)
    return SourceImage(str(path), str(below.with_suffix("")), path.read_bytes, path)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _SUFFIXES and path.is_file()
