"""Reports images that failed."""

from __future__ import annotations

import sys

from tqdm import tqdm

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.error_text import describe_error
from posewire_client import FrameFailure


class ErrorLines:
    """Prints one line on stderr for each failure, without breaking progress bars."""

    def write(self, image: AnsweredImage) -> None:
        if isinstance(image.outcome, FrameFailure):
            fault = describe_error(image.outcome.error, image="")
            tqdm.write(f"posewire: {image.name}: {fault}", file=sys.stderr)

    def close(self) -> None:
        pass
