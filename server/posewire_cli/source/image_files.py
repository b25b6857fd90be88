"""Finds images by path, directory, pattern or address."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from posewire_cli.errors import SourceError, UsageError
from posewire_cli.source.bounded_reading import read_file, read_stdin
from posewire_cli.source.download import check_url, download, is_url, url_stem
from posewire_cli.source.source_image import SourceImage, absent_image, stem_of

# The formats that the server decodes.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_STDIN = ("-", "/dev/stdin")


def find_images(
    arguments: Sequence[str],
    *,
    recursive: bool = False,
    find_objects: Callable[[str, bool], Iterable[SourceImage]] | None = None,
) -> list[SourceImage]:
    """Return images in the order given, without duplicates; directories and patterns are sorted.

    What is missing has its place in the order, so that a batch goes on past it. The stem of a file
    is its path below the directory, or below the part of the pattern that has no wildcards. Raises
    `UsageError` for an empty argument, which is usually an unset variable.

    `find_objects`: for addresses other than http; it gets the address and `recursive`.
    """
    found: dict[str, SourceImage] = {}
    for argument in arguments:
        if not argument:
            raise UsageError("got an empty image name, want a file, directory, pattern or address")
        images = _find(argument, recursive)
        if find_objects is not None and "://" in argument and not is_url(argument):
            images = iter(find_objects(argument, recursive))
        for image in images:
            found.setdefault(image.name, image)
    return list(found.values())


def image_ids(images: Sequence[SourceImage]) -> list[int]:
    """Return COCO image ids: the file names if all are different numbers, else 1, 2, ...

    COCO names its own files by their ids. Absent images have no say, and the id 0.
    """
    names = [os.path.basename(image.stem) for image in images if not image.is_absent]
    are_ids = all(name.isdecimal() for name in names) and len(set(map(int, names))) == len(names)
    ids = iter(map(int, names) if are_ids else range(1, len(names) + 1))
    return [0 if image.is_absent else next(ids) for image in images]


def _find(argument: str, recursive: bool) -> Iterator[SourceImage]:
    if argument in _STDIN:
        # Where it is redirected from a file, no output may replace that.
        yield SourceImage("stdin", "stdin", read_stdin, Path("/dev/stdin"))
    elif is_url(argument):
        yield _at_address(argument)
    else:
        try:
            yield from _find_files(argument, recursive)
        except OSError as error:
            yield absent_image(argument, error.strerror or str(error))


def _at_address(url: str) -> SourceImage:
    try:
        check_url(url)
    except SourceError as error:
        return absent_image(_without_user(url), str(error))
    return SourceImage(url, url_stem(url), partial(download, url))


def _without_user(url: str) -> str:
    """Remove user and password, which must not be printed."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _find_files(argument: str, recursive: bool) -> Iterator[SourceImage]:
    path = Path(argument)
    if path.is_dir():
        yield from _sort(argument, _walk(path) if recursive else path.iterdir(), path)
    elif path.exists():
        yield _image(path, path.parent)
    elif glob.has_magic(argument):
        matches = map(Path, glob.iglob(argument, recursive=True))
        yield from _sort(argument, matches, _base(argument), any_suffix=True)
    else:
        yield absent_image(
            argument, "no such file, want an image, a directory, a pattern or an http address"
        )


def _walk(directory: Path) -> Iterator[Path]:
    """Yield the files of a tree; links to directories are not followed. Raises `OSError`."""

    def fail(error: OSError) -> None:
        raise error

    for parent, _, names in os.walk(directory, onerror=fail):
        yield from (Path(parent, name) for name in names)


def _base(pattern: str) -> Path:
    """Return the directories that lead to the first wildcard."""
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first])


def _sort(
    argument: str, paths: Iterable[Path], base: Path, *, any_suffix: bool = False
) -> Iterator[SourceImage]:
    found = sorted(
        path
        for path in paths
        if (any_suffix or path.suffix.lower() in SUFFIXES) and os.path.isfile(path)
    )
    if not found:
        yield absent_image(argument, f"no images found, want {', '.join(SUFFIXES)}")
    for path in found:
        yield _image(path, base)


def _image(path: Path, base: Path) -> SourceImage:
    stem = stem_of(path.relative_to(base))
    return SourceImage(str(path), stem, partial(read_file, path), path)
