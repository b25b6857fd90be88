"""Downloading one file, whole or not at all, with retries."""

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
from posewire_server.models.digest import find_fault
from posewire_server.models.errors import FetchError, TransferError, WrongFileError
from posewire_server.models.fetch.transfer import Progress, Transfer

logger = logging.getLogger(__name__)

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SPACE_ADVICE = "free some space, or name another cache by --cache or POSEWIRE_CACHE"


@dataclass(frozen=True, slots=True)
class Patience:
    """Timeouts for a connection and for the next byte, and the delay before each retry."""

    connect_secs: float = 15.0
    stall_secs: float = 30.0
    delays_secs: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)


def part_path(target: Path) -> Path:
    """Return where the first bytes of an incomplete download to `target` are kept."""
    return target.with_name(f"{target.name}.part")


def download(
    file: RemoteFile, target: Path, *, address: str, patience: Patience, progress: Progress
) -> None:
    """Download `file` to `target`, replacing what is there.

    Resumes a transfer that was cut, in this run or an earlier one. Reads proxies and certificates
    from the environment, as httpx does. Raises `FetchError`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(target)
    if part.exists() and part.stat().st_size > file.size:
        part.unlink()
    with _open_client(patience) as client:
        transfer = Transfer(client, address, file, part, progress)
        try:
            _check_space(transfer)
            _complete(transfer, patience)
            part.replace(target)
        except OSError as error:
            if error.errno not in _NO_SPACE:
                raise
            raise FetchError(
                f"{part}: {error.strerror} after {transfer.received} of {file.size} bytes; "
                f"{_SPACE_ADVICE}"
            ) from error


def _open_client(patience: Patience) -> httpx.Client:
    timeout = httpx.Timeout(patience.stall_secs, connect=patience.connect_secs)
    try:
        return httpx.Client(follow_redirects=True, timeout=timeout)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise FetchError(
            f"proxy settings: {error}; check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
        ) from error


def _check_space(transfer: Transfer) -> None:
    directory = transfer.part.parent
    free = shutil.disk_usage(directory).free
    wanted = transfer.file.size - transfer.received
    if free < wanted:
        raise FetchError(
            f"{directory}: {free} bytes are free, want {wanted} for {transfer.file.name}; "
            f"{_SPACE_ADVICE}"
        )


def _complete(transfer: Transfer, patience: Patience) -> None:
    for delay_secs in patience.delays_secs:
        try:
            return _try_once(transfer)
        except TransferError as error:
            logger.info("%s (retry in %g s)", error, delay_secs)
            time.sleep(delay_secs)
    return _try_once(transfer)


def _try_once(transfer: Transfer) -> None:
    """Complete the file, check its content and flush it to disk."""
    is_joined = transfer.run() if transfer.received < transfer.file.size else True
    fault = find_fault(transfer.part, transfer.file)
    if fault is None:
        # Else a power cut could leave the final name with nothing behind it.
        with transfer.part.open("rb") as content:
            os.fsync(content.fileno())
        return
    transfer.part.unlink()
    message = (
        f"{transfer.address}: {fault}, so it is damaged or another file and was removed; "
        "try again, or name a mirror by --mirror or POSEWIRE_MIRROR"
    )
    # Pieces of two versions of a file each look sound: only a retry from the start decides.
    raise TransferError(message) if is_joined else WrongFileError(message)
