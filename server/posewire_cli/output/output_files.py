"""Checks output files before anything is computed."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from posewire_cli.errors import OutputError

_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file to be written.

    `option`: what asks for it, as typed. `source`: the image that it is made from, for messages.
    `makes_directories`: its directory is created if missing. `is_resumed`: an existing file is
    continued, not replaced.
    """

    option: str
    path: Path
    source: str = ""
    makes_directories: bool = False
    is_resumed: bool = False


def check_outputs(
    outputs: Iterable[OutputFile], *, inputs: Iterable[Path], overwrite: bool
) -> None:
    """Raise `OutputError` unless all outputs can be written and destroy nothing.

    No output may be an input, by whatever name or link, or have the name of another output.
    Existing files need `overwrite`.
    """
    outputs = [*outputs]
    read = dict(_identify(inputs))
    for each in outputs:
        _check_kind(each)
        _check_is_no_input(each, read)
    _check_directories(outputs)
    _check_names_differ(outputs)
    if not overwrite:
        _check_none_exist(outputs)


def existing_in(directory: Path, pattern: str) -> list[Path]:
    """Return files of a directory by pattern, sorted; none if there is no such directory."""
    return sorted(directory.glob(pattern)) if directory.is_dir() else []


def _identify(paths: Iterable[Path]) -> Iterator[tuple[tuple[int, int], Path]]:
    for path in paths:
        if (status := _status(path)) is not None:
            yield (status.st_dev, status.st_ino), path


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _check_kind(output: OutputFile) -> None:
    status = _status(output.path)
    if status is None or stat.S_ISREG(status.st_mode):
        return
    kind = "a directory" if stat.S_ISDIR(status.st_mode) else "a device, pipe or socket"
    raise OutputError(f"{output.option} {output.path}: is {kind}, want the name of a file")


def _check_is_no_input(output: OutputFile, inputs: dict[tuple[int, int], Path]) -> None:
    status = _status(output.path)
    source = None if status is None else inputs.get((status.st_dev, status.st_ino))
    if source is not None:
        raise OutputError(
            f"{output.option}: {output.path} would overwrite the input {source}, want another "
            "file or directory"
        )


def _check_directories(outputs: list[OutputFile]) -> None:
    reasons: dict[Path, str | None] = {}
    for each in outputs:
        directory = _directory(each)
        if directory not in reasons:
            reasons[directory] = _why_not_writable(directory)
        if (reason := reasons[directory]) is not None:
            raise OutputError(
                f"{each.option} {each.path}: cannot be written: {directory}: {reason}; want a "
                "directory that exists and is writable"
            )
        if _status(each.path) is not None and not os.access(each.path, os.W_OK):
            raise OutputError(
                f"{each.option} {each.path}: is write-protected, want a file that is writable"
            )


def _directory(output: OutputFile) -> Path:
    """Return the directory that must be writable."""
    if not output.makes_directories:
        return output.path.resolve().parent  # a link is followed
    directory = output.path.absolute().parent
    return next(each for each in (directory, *directory.parents) if each.exists())


def _why_not_writable(directory: Path) -> str | None:
    """Return None if a file can be created; the reason comes from the system."""
    try:
        with tempfile.TemporaryFile(dir=directory):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _check_names_differ(outputs: list[OutputFile]) -> None:
    seen: dict[Path, OutputFile] = {}
    for each in outputs:
        other = seen.setdefault(each.path.resolve(), each)
        if other is not each:
            raise OutputError(
                f"{_describe(other)} and {_describe(each)}: both would be written to {each.path}, "
                "want different names"
            )
    directories = {parent for path in seen for parent in path.parents}
    for path, each in seen.items():
        if path in directories:
            raise OutputError(
                f"{each.option} {each.path}: is the directory of another output, want another name"
            )


def _describe(output: OutputFile) -> str:
    return f"{output.option} of {output.source}" if output.source else output.option


def _check_none_exist(outputs: list[OutputFile]) -> None:
    existing = [each for each in outputs if os.path.lexists(each.path) and not each.is_resumed]
    if not existing:
        return
    named = ", ".join(str(each.path) for each in existing[:_MAX_NAMED])
    more = f" and {len(existing) - _MAX_NAMED} more" if len(existing) > _MAX_NAMED else ""
    exist = "exists" if len(existing) == 1 else "exist"
    raise OutputError(
        f"{existing[0].option}: {named}{more} {exist} already, want new names, or --overwrite to "
        "replace them"
    )
