"""Streams files and frames to a server, and pairs them with their outcomes."""

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
from posewire_client import (
    EncodedImage,
    FrameFailure,
    FrameInput,
    InvalidArgumentError,
    Outcome,
)
from posewire_server.image.file import read_frame

Pixels = NDArray[np.uint8]

# Sends frames and yields one outcome for each, in order, as a client's stream does.
Send: TypeAlias = Callable[[Iterable[FrameInput]], Iterable[Outcome]]


def estimate_files(
    send: Send, paths: Sequence[Path], *, apply_orientation: bool = True
) -> Iterator[AnsweredImage]:
    """Stream image files. A file that cannot be read yields a failure, in order.

    `apply_orientation`: whether poses and pixels are those of the image as a viewer shows it, or as
    it is stored.
    """
    ids = image_ids(paths)
    pending: deque[tuple[int, FrameFailure | None]] = deque()

    def read_files() -> Iterator[EncodedImage]:
        for i, path in enumerate(paths):
            content = _read(path, frame_id=i + 1)
            if isinstance(content, FrameFailure):
                pending.append((i, content))
            else:
                pending.append((i, None))
                yield EncodedImage(content, apply_orientation)

    def read_pixels(path: Path) -> Pixels:
        return read_frame(path, apply_orientation=apply_orientation).oriented_pixels()

    def pair(i: int, outcome: Outcome) -> AnsweredImage:
        path = paths[i]
        labels: dict[str, str | int] = {"image": str(path), "image_id": ids[i]}
        return AnsweredImage(
            str(path), labels, ids[i], path.stem, partial(read_pixels, path), outcome
        )

    def take_unreadable() -> Iterator[AnsweredImage]:
        while pending and (failure := pending[0][1]) is not None:
            yield pair(pending.popleft()[0], failure)

    for outcome in send(read_files()):
        yield from take_unreadable()
        yield pair(pending.popleft()[0], outcome)
    yield from take_unreadable()


def estimate_frames(
    send: Send,
    frames: Iterable[Pixels],
    *,
    name: str,
    file_stem: str,
    encode: Callable[[Pixels], FrameInput] = lambda frame: frame,
) -> Iterator[AnsweredImage]:
    """Stream the frames of the video `name`.

    Frames are numbered from 0; the number is also the `image_id`.
    """
    pending: deque[Pixels] = deque()

    def encode_frames() -> Iterator[FrameInput]:
        for frame in frames:
            pending.append(frame)
            yield encode(frame)

    for number, outcome in enumerate(send(encode_frames())):
        labels: dict[str, str | int] = {"source": name, "frame": number}
        stem = f"{file_stem}_{number:012d}"
        pixels = partial(_identity, pending.popleft())
        yield AnsweredImage(f"frame {number}", labels, number, stem, pixels, outcome)


def _identity(pixels: Pixels) -> Pixels:
    return pixels


def _read(path: Path, *, frame_id: int) -> bytes | FrameFailure:
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
    else:
        if content:
            return content
        reason = "got 0 bytes, want an image file"
    return FrameFailure(frame_id=frame_id, error=InvalidArgumentError(reason))
