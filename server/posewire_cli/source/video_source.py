"""Frames of video files, cameras and network streams."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_cli.errors import SourceError

_LOG = logging.getLogger(__name__)

# Frames per second of a source that does not report a rate.
_DEFAULT_RATE = 25.0
# After that, a hanging camera is left open until the process ends.
_CLOSE_TIMEOUT_SECS = 2.0


def check_source(given: str) -> None:
    """Raise `SourceError` for a missing file, without opening anything."""
    if not given.isdecimal() and "://" not in given and not Path(given).is_file():
        raise SourceError(
            f"{given or repr(given)}: no such file, want a video, a camera number or an address "
            "such as rtsp://host/path"
        )


def source_stem(given: str) -> str:
    """Return the start of the names of output files."""
    if given.isdecimal():
        return f"camera_{given}"
    return "stream" if "://" in given else Path(given).stem


def source_files(given: str) -> list[Path]:
    """Return the files that are read, so that no output replaces them."""
    if given.isdecimal():
        return []
    if "://" not in given:
        return [Path(given)]
    scheme, _, path = given.partition("://")
    return [Path(path)] if scheme == "file" else []


class VideoSource:
    """BGR frames (h, w, 3) of a video file, a camera by its number, or an address.

    `name` is for messages, `file_stem` for output files. `is_live`: real-time frames, dropped if
    unread. `rate`: frames per second. `frame_count`: None if unknown. Raises `SourceError` if the
    source cannot be opened.
    """

    def __init__(self, given: str) -> None:
        check_source(given)
        is_camera, is_address = given.isdecimal(), "://" in given
        self.name = f"camera {given}" if is_camera else given
        if is_address:
            self.name = _strip_credentials(given)
        self.file_stem = source_stem(given)
        self._video = cv2.VideoCapture(int(given)) if is_camera else cv2.VideoCapture(given)
        if not self._video.isOpened():
            raise SourceError(f"{self.name}: cannot be opened, want {_describe_wanted(given)}")
        frames = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        self.is_live = is_camera or _is_real_time(given) or (is_address and frames <= 0)
        self.frame_count = frames if frames > 0 and not self.is_live else None
        self._reading = threading.Lock()
        self._is_closed = False
        rate = float(self._video.get(cv2.CAP_PROP_FPS))
        self.rate = rate if 0 < rate < 1000 else _DEFAULT_RATE
        count = "an unknown number of" if self.frame_count is None else self.frame_count
        _LOG.info("opened %s: %s frames, %g frames/s", self.name, count, self.rate)

    def captured_secs(self, number: int) -> float:
        """Return the capture time of a frame that was just read, on a monotonic clock.

        The clock of a file begins at 0; that of a live source is this machine's.
        """
        return monotonic() if self.is_live else number / self.rate

    def close(self) -> None:
        """Stop reading frames. Does not wait for a source that hangs."""
        self._is_closed = True
        if self._reading.acquire(timeout=_CLOSE_TIMEOUT_SECS):
            self._video.release()
            self._reading.release()

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yield frames until the end, or until the source is closed by another thread.

        Raises `SourceError` if there is no frame at all.
        """
        is_empty = True
        while (frame := self._next_frame()) is not None:
            is_empty = False
            yield frame
        if is_empty and not self._is_closed:
            raise SourceError(f"{self.name}: got no frames")

    def _next_frame(self) -> NDArray[np.uint8] | None:
        with self._reading:
            was_read, frame = (False, None) if self._is_closed else self._video.read()
        return frame.astype(np.uint8, copy=False) if was_read and frame is not None else None


def _is_real_time(address: str) -> bool:
    """Return whether the protocol drops frames that are not read in time, even of a recording."""
    return address.partition("://")[0] in ("rtsp", "rtsps", "rtp", "udp", "srt", "rtmp")


def _describe_wanted(given: str) -> str:
    if given.isdecimal():
        return f"a camera at /dev/video{given} that is readable and not in use"
    if "://" in given:
        return "a reachable address of a video that FFmpeg can read"
    return "a video that FFmpeg can read"


def _strip_credentials(address: str) -> str:
    """Remove user and password, which must not be logged."""
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
