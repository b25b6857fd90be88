"""Passes images to writers."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing, suppress
from typing import Literal

from tqdm import tqdm

from posewire_cli.output.answered_image import AnsweredImage, Writer


class StopWriting(Exception):
    """Raised by a writer to end the command early and without an error."""


def write_all(
    images: Iterable[AnsweredImage],
    writers: Iterable[Writer],
    *,
    total: int | None,
    unit: Literal["image", "frame"],
    hide_bar: bool = False,
) -> None:
    """Write every image with each writer, and close the writers even after an interruption.

    Ends early if a writer raises `StopWriting`.

    Shows a progress bar on stderr if that is a terminal. `total` is None if unknown.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(each)) for each in writers]
        stack.enter_context(suppress(StopWriting))
        for image in tqdm(images, total=total, unit=unit, disable=True if hide_bar else None):
            for writer in opened:
                writer.write(image)
