"""Options for annotated images and videos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cyclopts import Group, Parameter

from posewire_client.drawing import Style


@Parameter(name="*", group=Group("Drawing", sort_key=5))
@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingOptions:
    color_by: Literal["person", "limb"] | None = None
    """Colour by person, or by left and right limb (default: limb for images, person for videos)."""

    no_caption: bool = False
    """Draw no text: neither scores nor frame numbers."""

    def to_style(
        self, *, default: Literal["person", "limb"], min_keypoint_score: float | None
    ) -> Style:
        """`min_keypoint_score`: of the keypoints drawn, None for the default."""
        return Style(
            color_by=self.color_by or default,
            text=not self.no_caption,
            min_keypoint_score=min_keypoint_score,
        )
