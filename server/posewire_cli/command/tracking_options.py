"""Options for following people through a video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from posewire_cli.errors import UsageError

# Trails keep a point for each frame and person.
_MAX_TRAIL_SECS = 30

_TrailSeconds = Annotated[float, Parameter(validator=Number(gt=0, lte=_MAX_TRAIL_SECS))]


@Parameter(name="*", group=Group("Tracking", sort_key=3))
@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingOptions:
    track: bool = False
    """Follow people: each keeps an id and a colour."""

    smooth: bool = False
    """Smooth the keypoints of tracked people over time. Needs --track."""

    trails: _TrailSeconds | None = None
    """Draw where tracked people were, for 0 to 30 seconds. Needs --track."""

    def check(self) -> None:
        """Raise `UsageError` for options that need --track."""
        given = {"--smooth": self.smooth, "--trails": self.trails is not None}
        wrong = [option for option, is_given in given.items() if is_given]
        if wrong and not self.track:
            raise UsageError(f"{', '.join(wrong)}: only with --track")

    def trail_frames(self, rate: float) -> int:
        """Return the length of trails in frames, 0 for none. `rate`: frames per second."""
        return 0 if self.trails is None else max(1, round(self.trails * rate))
