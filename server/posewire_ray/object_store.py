"""Lists and reads files by path, or by the address of an object store."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, FileType, FSSpecHandler, PyFileSystem

# Far above what is decoded by default.
MAX_BYTES = 256 << 20


def is_address(name: str) -> bool:
    """Return whether this is an address such as s3://bucket/key, not a path."""
    return "://" in name


def read_file(name: str) -> bytes:
    """Read a file of at most `MAX_BYTES` by its path or address. Raises `OSError`."""
    if not is_address(name):
        with Path(name).open("rb") as file:
            return _check_size(file.read(MAX_BYTES + 1), name)
    files, path = _locate(name)
    with files.open_input_stream(path) as stream:
        return _check_size(stream.read(MAX_BYTES + 1), name)


def list_files(address: str, *, recursive: bool) -> list[str] | None:
    """Return the paths of files below an address, sorted; None if it is that of one file.

    Raises `OSError`, also if there is nothing at the address.
    """
    files, path = _locate(address)
    kind = files.get_file_info(path).type
    if kind == FileType.NotFound:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), address)
    if kind == FileType.File:
        return None
    found = files.get_file_info(FileSelector(path, recursive=recursive))
    start = f"{path.rstrip('/')}/"
    return sorted(each.path.removeprefix(start) for each in found if each.type == FileType.File)


def _locate(address: str) -> tuple[FileSystem, str]:
    """Return the file system of an address: PyArrow's, else one of fsspec."""
    try:
        files, path = FileSystem.from_uri(address)
    except pa.ArrowInvalid:
        import fsspec

        try:
            other, path = fsspec.core.url_to_fs(address)
        except (ImportError, ValueError) as error:
            raise OSError(errno.EPROTONOSUPPORT, str(error), address) from error
        return PyFileSystem(FSSpecHandler(other)), path
    return files, path


def _check_size(content: bytes, name: str) -> bytes:
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"is larger than {MAX_BYTES >> 20} MiB, want an image", name)
    return content
