"""Options that name annotated images or videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cyclopts import Group, Parameter

from posewire_cli.command.option_types import Count, Seconds
from posewire_cli.errors import UsageError


@Parameter(name="*", group=Group("Dataset", sort_key=0))
@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetOptions:
    annotations: Path
    """COCO keypoint annotation file (person_keypoints_*.json), with --video with track ids."""

    images: Path | None = None
    """Directory of the images."""

    video: Path | None = None
    """Video file to follow people in, or directory of the image files of its frames."""

    rate: Seconds | None = None
    """Frames per second of a directory of frames (default: 25)."""

    limit: Count | None = None
    """Number of images or frames, from the first (default: all)."""

    ignore_orientation: bool = False
    """Annotations refer to pixels as stored, without the EXIF orientation."""

    def check(self) -> None:
        """Raise `UsageError` unless the options name images or a video."""
        if (self.images is None) == (self.video is None):
            raise UsageError("one of --images and --video is required")
        if self.rate is not None and (self.video is None or not self.video.is_dir()):
            raise UsageError("--rate: only with --video for a directory of frames")
