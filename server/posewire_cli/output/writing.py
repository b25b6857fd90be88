"""Passing answers on to all who write them down."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing
from typing import Literal

from tqdm import tqdm

from posewire_cli.output.answered_image import AnsweredImage, Writer


def write_all(
    images: Iterable[AnsweredImage],
    writers: Iterable[Writer],
    *,
    total: int | None,
    unit: Literal["image", "frame"],
    hide_bar: bool = False,
) -> None:
    """Every answer to each writer; they are closed at the end, after an interruption too.

    A progress bar is shown on stderr where that is a terminal. `total` is None if unknown.
    """
    with ExitStack() as stack:
        entered = [stack.enter_context(closing(each)) for each in writers]
        for image in tqdm(images, total=total, unit=unit, disable=True if hide_bar else None):
            for each in entered:
                each.write(image)
