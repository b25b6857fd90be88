"""Frames of video files, cameras and network addresses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_cli.errors import SourceError

# Of a source that does not tell its own.
_RATE = 25.0
# A camera that hangs is left to the end of the process.
_CLOSING_SECS = 2.0


def check_source(given: str) -> None:
    """Raises `SourceError` for a file that is not there, without opening anything."""
    if not given.isdecimal() and "://" not in given and not Path(given).is_file():
        raise SourceError(
            f"{given}: there is no such file, want a video, a camera's number or an address such "
            "as rtsp://host/path"
        )


class VideoSource:
    """BGR frames (h, w, 3) of what `given` names: a file, a camera's number or an address.

    `name` is for people, `file_stem` for files about it. `is_live`: whether frames come when they
    come, and are lost if nobody takes them. `rate` is in frames per second, and `frame_count` None
    where only the end will tell. Raises `SourceError` if it cannot be opened.
    """

    def __init__(self, given: str) -> None:
        check_source(given)
        is_camera, is_address = given.isdecimal(), "://" in given
        if is_camera:
            self.name, self.file_stem = f"camera {given}", f"camera_{given}"
        elif is_address:
            self.name, self.file_stem = _without_credentials(given), "stream"
        else:
            self.name, self.file_stem = given, Path(given).stem
        self._video = cv2.VideoCapture(int(given)) if is_camera else cv2.VideoCapture(given)
        if not self._video.isOpened():
            raise SourceError(f"{self.name}: cannot be opened, want {_wanted(given)}")
        frames = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        self.is_live = is_camera or _is_sent_in_real_time(given) or (is_address and frames <= 0)
        self.frame_count = frames if frames > 0 and not self.is_live else None
        self._reading = threading.Lock()
        self._is_closed = False
        rate = float(self._video.get(cv2.CAP_PROP_FPS))
        self.rate = rate if 0 < rate < 1000 else _RATE

    def close(self) -> None:
        """No more frames are read; a source that hangs is not waited for."""
        self._is_closed = True
        if self._reading.acquire(timeout=_CLOSING_SECS):
            self._video.release()
            self._reading.release()

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """All frames to the end, in whichever thread; none any more once this is closed.

        Raises `SourceError` if there is none at all.
        """
        came_any = False
        while (frame := self._next_frame()) is not None:
            came_any = True
            yield frame
        if not came_any and not self._is_closed:
            raise SourceError(f"{self.name}: no frame came")

    def _next_frame(self) -> NDArray[np.uint8] | None:
        with self._reading:
            came, frame = (False, None) if self._is_closed else self._video.read()
        return frame.astype(np.uint8, copy=False) if came and frame is not None else None


def _is_sent_in_real_time(address: str) -> bool:
    """Even a recording is: whoever does not take its frames in time loses them."""
    return address.partition("://")[0] in ("rtsp", "rtsps", "rtp", "udp", "srt", "rtmp")


def _wanted(given: str) -> str:
    if given.isdecimal():
        return f"a camera at /dev/video{given} that this user may read and nobody else uses"
    if "://" in given:
        return "an address that answers, with a video that FFmpeg can read"
    return "a video that FFmpeg can read"


def _without_credentials(address: str) -> str:
    """Cameras' addresses have passwords in them, which are for nobody's log."""
    scheme, _, rest = address.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"
