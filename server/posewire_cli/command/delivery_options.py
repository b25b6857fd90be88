"""Options for the delivery of a video's frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
from cyclopts import Group, Parameter

from posewire_cli.batches import Pixels
from posewire_cli.command.option_types import Count, Seconds
from posewire_cli.errors import UsageError
from posewire_cli.source.video_source import VideoSource
from posewire_client import ImageInput

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90]


@Parameter(name="*", group=Group("Delivery", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    delivery: Literal["lossless", "latest"] | None = None
    """Every frame, or the newest (default: latest for cameras and live streams)."""

    max_frame_age: Seconds | None = None
    """Maximum age of a waiting frame in seconds, for latest (default: no limit)."""

    window: Count | None = None
    """Frames in flight (default: the server's)."""

    encoding: Literal["raw", "jpeg"] | None = None
    """Uncompressed, or JPEG of quality 90 (default: jpeg with --server, else raw)."""

    frames: Count | None = None
    """Number of frames to process (default: all)."""

    def check(self, *, is_latest: bool) -> None:
        """Raise `UsageError` for options that need another delivery."""
        if self.max_frame_age is not None and not is_latest:
            raise UsageError("--max-frame-age: only with --delivery latest")

    def is_latest(self, source: VideoSource) -> bool:
        return source.is_live if self.delivery is None else self.delivery == "latest"

    def encoder(self, *, remote: bool) -> Callable[[Pixels], ImageInput]:
        """Return the frame encoder."""
        return _encode_jpeg if (self.encoding or ("jpeg" if remote else "raw")) == "jpeg" else _raw


def _encode_jpeg(frame: Pixels) -> bytes:
    return cv2.imencode(".jpg", frame, _JPEG)[1].tobytes()


def _raw(frame: Pixels) -> Pixels:
    return frame
