"""Streams files and frames to a server, and pairs them with their outcomes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

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
Value = TypeVar("Value")

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
            content = read_image(image, frame_id=i + 1)
            pending.append((i, content))
            if not isinstance(content, FrameFailure):
                yield EncodedImage(content, apply_orientation)

    def pair(i: int, content: bytes, outcome: Outcome) -> AnsweredImage:
        read = partial(_identity, content)
        return pair_file(images[i], ids[i], outcome, read=read, apply_orientation=apply_orientation)

    def take_unreadable() -> Iterator[AnsweredImage]:
        while pending and isinstance(failure := pending[0][1], FrameFailure):
            yield pair(pending.popleft()[0], b"", failure)

    for outcome in send(read_files()):
        yield from take_unreadable()
        i, content = pending.popleft()
        assert isinstance(content, bytes), "failures were taken before"
        yield pair(i, content, outcome)
    yield from take_unreadable()


def pair_file(
    image: SourceImage,
    image_id: int,
    outcome: Outcome,
    *,
    read: Callable[[], bytes],
    apply_orientation: bool,
) -> AnsweredImage:
    """Pair an image file with its outcome. `read` returns the file when its pixels are needed."""

    def decode() -> Pixels:
        frame = frame_from_file(read(), name=image.name, apply_orientation=apply_orientation)
        return frame.oriented_pixels()

    labels: dict[str, str | int] = {"image": image.name}
    if not image.is_absent:
        labels["image_id"] = image_id
    return AnsweredImage(image.name, labels, image_id, image.stem, decode, outcome)


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


def read_image(image: SourceImage, *, frame_id: int) -> bytes | FrameFailure:
    """Read an image file, or return why that fails."""
    try:
        content = image.read()
    except (OSError, SourceError) as error:
        reason = str(error) if isinstance(error, SourceError) else error.strerror or str(error)
    else:
        if content:
            return content
        reason = "got 0 bytes, want an image file"
    return FrameFailure(frame_id=frame_id, error=UnreadableImageError(reason))


def _identity(value: Value) -> Value:
    return value
