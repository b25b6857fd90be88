"""A file from an address to a path, whole or not at all."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from posewire_server.models.catalog_entry import RemoteFile
from posewire_server.models.errors import FetchError, TransferError, WrongFileError
from posewire_server.models.fetch.partial_file import PartialFile
from posewire_server.models.fetch.transfer import Progress, Transfer

logger = logging.getLogger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ROOM_ADVICE = "make room, or name another cache by --cache or POSEWIRE_CACHE"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a connection and for the next byte, and before each further try."""

    connect_secs: float = 15.0
    stall_secs: float = 30.0
    delays_secs: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)


def download(
    file: RemoteFile, target: Path, *, address: str, patience: Patience, progress: Progress
) -> None:
    """Puts `file` at `target`; what is there already is replaced.

    A transfer that was cut, in this run or an earlier one, goes on where it was. Proxies and
    certificates are those of the environment, as httpx reads it. Raises `FetchError`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = PartialFile(target)
    if partial.size > file.size:
        partial.discard()
    try:
        _check_room(file, partial)
        with _client(patience) as client:
            _complete(Transfer(client, address, file, partial, progress), patience)
        partial.finish()
    except WrongFileError:
        partial.discard()
        raise
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise FetchError(
            f"{partial.path}: {error.strerror} after {partial.size} of {file.size} bytes; "
            f"{_ROOM_ADVICE}"
        ) from error


def _check_room(file: RemoteFile, partial: PartialFile) -> None:
    directory = partial.path.parent
    free, wanted = shutil.disk_usage(directory).free, file.size - partial.size
    if free < wanted:
        raise FetchError(
            f"{directory}: {free} bytes are free, want {wanted} for {file.name}; {_ROOM_ADVICE}"
        )


def _client(patience: Patience) -> httpx.Client:
    timeout = httpx.Timeout(patience.stall_secs, connect=patience.connect_secs)
    try:
        return httpx.Client(follow_redirects=True, timeout=timeout)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise FetchError(
            f"proxy settings: {error}; check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
        ) from error


def _complete(transfer: Transfer, patience: Patience) -> None:
    for delay_secs in patience.delays_secs:
        try:
            return _try_once(transfer)
        except TransferError as error:
            logger.info("%s (next try in %g s)", error, delay_secs)
            time.sleep(delay_secs)
    return _try_once(transfer)


def _try_once(transfer: Transfer) -> None:
    """Afterwards all bytes are there, are the right ones, and are on the disk."""
    file, partial = transfer.file, transfer.partial
    if partial.size < file.size:
        transfer.run()
    fault = partial.fault(file)
    if fault is None:
        return _flush(partial.path)
    joined = partial.joined
    partial.discard()
    message = (
        f"{transfer.address}: {fault}, so it is damaged or another file and was removed; "
        "run it again, or name a mirror by --mirror or POSEWIRE_MIRROR"
    )
    # Two pieces may each be sound and not belong together.
    raise TransferError(message) if joined else WrongFileError(message)


def _flush(path: Path) -> None:
    """Else a power cut could leave the final name with nothing behind it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
