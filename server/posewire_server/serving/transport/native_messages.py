"""Limits the messages that C libraries print about images."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import threading
import time

import cv2

_LOG = logging.getLogger(__name__)

_LINES_PER_PERIOD = 10
_PERIOD_SECS = 60
_MAX_LINE = 500
_IONBF = 2  # of stdio.h
_STDERR = 2  # the descriptor


def limit_native_messages() -> None:
    """Log at most ten lines a minute of what C libraries print to stderr, and drop the others.

    The libjpeg in OpenCV prints a line for every damaged image, without a way to turn it off.
    OpenCV's own messages are turned off, since the client gets an error. Output of Python and of
    C++ streams does not change. Call this before other threads start. With another C library than
    glibc it only turns off OpenCV's messages.

    If a C library aborts the process, its last line is usually lost, because nothing reads it any
    more. So the Python stacks of all threads are printed then, which show the call that failed.
    """
    faulthandler.enable(_STDERR)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # a full pipe drops lines instead of blocking
    libc.fdopen.restype = ctypes.c_void_p
    stream = ctypes.c_void_p(libc.fdopen(writing, b"w"))
    libc.setvbuf(stream, None, _IONBF, ctypes.c_size_t(0))
    ctypes.c_void_p.in_dll(libc, "stderr").value = stream.value
    threading.Thread(target=_log_lines, args=(reading,), name="messages", daemon=True).start()


def _log_lines(reading: int) -> None:
    ends = 0.0
    lines = 0
    with open(reading, "rb") as messages:
        while line := messages.readline(_MAX_LINE):
            now = time.monotonic()
            if now > ends:
                if lines > _LINES_PER_PERIOD:
                    _LOG.warning("%d more lines of C libraries", lines - _LINES_PER_PERIOD)
                ends, lines = now + _PERIOD_SECS, 0
            lines += 1
            if lines <= _LINES_PER_PERIOD:
                _LOG.warning("%s", line.decode("ascii", "replace").rstrip())
