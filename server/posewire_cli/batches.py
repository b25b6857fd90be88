"""Asking a server about many files or frames, by one stream."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.source.image_files import image_ids
from posewire_client import FrameFailure, FrameInput, InvalidArgumentError, Outcome
from posewire_server.image.file import read_frame

Pixels = NDArray[np.uint8]

# Makes outcomes of frames, one for each and in order, as a client's stream does.
Stream: TypeAlias = Callable[[Iterable[FrameInput]], Iterable[Outcome]]


def answered_files(stream: Stream, paths: Sequence[Path]) -> Iterator[AnsweredImage]:
    """What became of image files; those that cannot be read have a failure in their turn."""
    ids = image_ids(paths)
    waiting: deque[tuple[int, FrameFailure | None]] = deque()

    def readable() -> Iterator[bytes]:
        for i, path in enumerate(paths):
            content = _content(path, frame_id=i + 1)
            if isinstance(content, FrameFailure):
                waiting.append((i, content))
            else:
                waiting.append((i, None))
                yield content

    def answered(i: int, outcome: Outcome) -> AnsweredImage:
        path = paths[i]
        labels: dict[str, str | int] = {"image": str(path), "image_id": ids[i]}
        return AnsweredImage(
            str(path), labels, ids[i], path.stem, lambda: read_frame(path).pixels, outcome
        )

    def unreadable() -> Iterator[AnsweredImage]:
        while waiting and (failure := waiting[0][1]) is not None:
            yield answered(waiting.popleft()[0], failure)

    for outcome in stream(readable()):
        yield from unreadable()
        yield answered(waiting.popleft()[0], outcome)
    yield from unreadable()


def answered_frames(
    stream: Stream,
    frames: Iterable[Pixels],
    *,
    name: str,
    file_stem: str,
    sent: Callable[[Pixels], FrameInput],
) -> Iterator[AnsweredImage]:
    """What became of the frames of a video called `name`; `sent` makes what is sent of them.

    Frames are numbered from 0, as their `image_id` too.
    """
    waiting: deque[Pixels] = deque()

    def kept() -> Iterator[FrameInput]:
        for frame in frames:
            waiting.append(frame)
            yield sent(frame)

    for number, outcome in enumerate(stream(kept())):
        labels: dict[str, str | int] = {"source": name, "frame": number}
        stem = f"{file_stem}_{number:012d}"
        pixels = partial(_same, waiting.popleft())
        yield AnsweredImage(f"frame {number}", labels, number, stem, pixels, outcome)


def _same(pixels: Pixels) -> Pixels:
    return pixels


def _content(path: Path, *, frame_id: int) -> bytes | FrameFailure:
    try:
        content = path.read_bytes()
    except OSError as error:
        complaint = error.strerror or str(error)
    else:
        if content:
            return content
        complaint = "got 0 bytes, want an image file"
    return FrameFailure(frame_id=frame_id, error=InvalidArgumentError(complaint))
