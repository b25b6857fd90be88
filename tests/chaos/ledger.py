"""What an honest client sent, and what it got for it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from posewire_client import Outcome, Skipped, SkipReason
from tests.chaos.numbered_image import is_result_of

_MAX_VIOLATIONS = 10


@dataclass(slots=True)
class Ledger:
    """Frames are numbered from 1. `allows_skips`: with Delivery.LATEST frames may be superseded."""

    allows_skips: bool = False
    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def send(self) -> int:
        """Return the number of the next frame."""
        self.sent += 1
        return self.sent

    def record(self, outcome: Outcome) -> None:
        """Check the next outcome: that of the oldest frame without one."""
        expected = self.outcomes.total() + 1
        if outcome.frame_id != expected:
            self._violate(f"outcome of frame {outcome.frame_id}, expected that of {expected}")
        if isinstance(outcome, Skipped):
            if not self.allows_skips or outcome.reason != SkipReason.SUPERSEDED:
                self._violate(f"frame {expected} was skipped as {outcome.reason.value}")
            self.outcomes["skipped"] += 1
            return
        if not is_result_of(outcome, expected):
            self._violate(f"frame {expected} got {outcome}")
        self.outcomes["result"] += 1

    def close(self) -> None:
        """Check that every frame has its outcome."""
        if (count := self.outcomes.total()) != self.sent:
            self._violate(f"{self.sent} frames were sent and {count} outcomes came")

    def fail(self, error: Exception) -> None:
        """Record the error that ended a call or a stream."""
        self._violate(f"after {self.outcomes.total()} outcomes: {type(error).__name__}: {error}")

    def to_json(self) -> str:
        return json.dumps(
            {"sent": self.sent, "outcomes": self.outcomes, "violations": self.violations}
        )

    def _violate(self, violation: str) -> None:
        if len(self.violations) < _MAX_VIOLATIONS:
            self.violations.append(violation[:500])
