"""Streams files and frames to a server, and pairs them with their outcomes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_cli.errors import SourceError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.source.image_files import image_ids
from posewire_cli.source.source_image import SourceImage
from posewire_client import (
    EncodedImage,
    FrameFailure,
    FrameInput,
    ImageInput,
    Outcome,
    StatusError,
    TimedImage,
)
from posewire_server.image.file import frame_from_file

Pixels = NDArray[np.uint8]

# Sends frames and yields one outcome for each, in order, as a client's stream does.
Send: TypeAlias = Callable[[Iterable[FrameInput]], Iterable[Outcome]]


class UnreadableImageError(StatusError):
    """An image that was not sent, because it could not be read."""

    code = "UNREADABLE"

    def __str__(self) -> str:
        return self.message


def estimate_files(
    send: Send, images: Sequence[SourceImage], *, apply_orientation: bool = True
) -> Iterator[AnsweredImage]:
    """Stream image files. A file that cannot be read yields a failure, in order.

    `apply_orientation`: whether poses and pixels are those of the image as a viewer shows it, or as
    it is stored.
    """
    ids = image_ids(images)
    pending: deque[tuple[int, bytes | FrameFailure]] = deque()

    def read_files() -> Iterator[EncodedImage]:
        for i, image in enumerate(images):
            content = _read(image, frame_id=i + 1)
            pending.append((i, content))
            if not isinstance(content, FrameFailure):
                yield EncodedImage(content, apply_orientation)

    def decode(content: bytes, name: str) -> Pixels:
        frame = frame_from_file(content, name=name, apply_orientation=apply_orientation)
        return frame.oriented_pixels()

    def pair(i: int, content: bytes, outcome: Outcome) -> AnsweredImage:
        image = images[i]
        labels: dict[str, str | int] = {"image": image.name}
        if not image.is_absent:
            labels["image_id"] = ids[i]
        pixels = partial(decode, content, image.name)
        return AnsweredImage(image.name, labels, ids[i], image.stem, pixels, outcome)

    def take_unreadable() -> Iterator[AnsweredImage]:
        while pending and isinstance(failure := pending[0][1], FrameFailure):
            yield pair(pending.popleft()[0], b"", failure)

    for outcome in send(read_files()):
        yield from take_unreadable()
        i, content = pending.popleft()
        assert isinstance(content, bytes), "failures were taken before"
        yield pair(i, content, outcome)
    yield from take_unreadable()


def estimate_frames(
    send: Send,
    frames: Iterable[Pixels],
    *,
    name: str,
    file_stem: str,
    captured_secs: Callable[[int], float],
    encode: Callable[[Pixels], ImageInput] = lambda frame: frame,
) -> Iterator[AnsweredImage]:
    """Stream the frames of the video `name`.

    Frames are numbered from 0; the number is also the `image_id`. `captured_secs`: the capture time
    of the frame with this number, which was just read.
    """
    pending: deque[Pixels] = deque()

    def encode_frames() -> Iterator[FrameInput]:
        for number, frame in enumerate(frames):
            secs = captured_secs(number)
            pending.append(frame)
            yield TimedImage(encode(frame), secs)

    for number, outcome in enumerate(send(encode_frames())):
        labels: dict[str, str | int] = {"source": name, "frame": number}
        stem = frame_stem(file_stem, number)
        pixels = partial(_identity, pending.popleft())
        yield AnsweredImage(f"frame {number}", labels, number, stem, pixels, outcome)


def frame_stem(file_stem: str, number: int) -> str:
    """Return the start of the names of a frame's output files."""
    return f"{file_stem}_{number:012d}"


def _identity(pixels: Pixels) -> Pixels:
    return pixels


def _read(image: SourceImage, *, frame_id: int) -> bytes | FrameFailure:
    try:
        content = image.read()
    except (OSError, SourceError) as error:
        reason = str(error) if isinstance(error, SourceError) else error.strerror or str(error)
    else:
        if content:
            return content
        reason = "got 0 bytes, want an image file"
    return FrameFailure(frame_id=frame_id, error=UnreadableImageError(reason))
