"""The source of a stream's frames."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_client.optional import needed_by
from posewire_client.request import FrameInput

VideoPath: TypeAlias = "str | os.PathLike[str]"
FrameSource: TypeAlias = "Iterable[FrameInput] | VideoPath"
AsyncFrameSource: TypeAlias = "AsyncIterable[FrameInput] | FrameSource"

_WANTED = "want an iterable of images, or the path of a video"


def open_frames(source: FrameSource) -> Iterable[FrameInput]:
    """Return the frames of a stream.

    Raises TypeError for anything else than an iterable of images or the path of a video,
    FileNotFoundError, and MissingPackageError for a video without OpenCV.
    """
    if isinstance(source, str | os.PathLike):
        return _open_video(source)
    _refuse_one_image(source)
    if isinstance(source, AsyncIterable):
        raise TypeError(f"frames: got an asynchronous iterable, {_WANTED}; AsyncClient takes it")
    if not isinstance(source, Iterable):
        raise TypeError(f"frames: got {source!r}, {_WANTED}")
    return source


def open_async_frames(
    source: AsyncFrameSource,
) -> AsyncIterable[FrameInput] | Iterable[FrameInput]:
    """Return the frames of an asynchronous stream; see `open_frames`."""
    if isinstance(source, str | os.PathLike):
        return _read_in_threads(_open_video(source))
    if isinstance(source, AsyncIterable):
        return source
    return open_frames(source)


def _open_video(path: VideoPath) -> Generator[NDArray[np.uint8], None, None]:
    source = os.fspath(path)
    if "://" not in source and not os.path.isfile(source):
        raise FileNotFoundError(f"frames: {source}: no such file, {_WANTED}")
    with needed_by("a stream from a video", package="OpenCV", install="posewire[opencv]"):
        from posewire_client.video import video_frames
    return video_frames(source)


async def _read_in_threads(
    frames: Generator[NDArray[np.uint8], None, None],
) -> AsyncIterator[FrameInput]:
    """Read frames off the event loop, which would wait for each."""
    while (frame := await asyncio.to_thread(next, frames, None)) is not None:
        yield frame


def _refuse_one_image(source: object) -> None:
    """Raise TypeError for what can be iterated over, and would yield bytes, rows or columns."""
    if isinstance(source, bytes | bytearray | memoryview):
        raise TypeError(f"frames: got {type(source).__name__}, {_WANTED}; one image: estimate")
    if isinstance(source, np.ndarray) and (
        source.ndim < 3 or (source.ndim == 3 and source.shape[2] in (1, 3, 4))
    ):
        raise TypeError(f"frames: got an array {source.shape}, {_WANTED}; one image: estimate")
