"""What one caller of a client got for its frames, and when."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

_MAX_VIOLATIONS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a frame. `people`: how many there are, which identifies the server."""

    frame: int
    width: int
    height: int
    people: int


@dataclass(slots=True)
class Record:
    """The outcomes of a stream or of unary calls; frames are numbered from 1."""

    caller: str
    times: list[float] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def add(self, answer: Answer, *, time: float) -> None:
        """Check the next result: that of the oldest frame without an outcome."""
        expected = len(self.answers) + 1
        if answer.frame != expected:
            self.violate(f"outcome of frame {answer.frame}, expected that of {expected}")
        elif (answer.width, answer.height) != size_of(expected):
            self.violate(f"frame {expected} got the result of another image: {answer}")
        self.times.append(time)
        self.answers.append(answer)

    def close(self, sent: int) -> None:
        """Check that every frame has its outcome."""
        if sent != len(self.answers):
            self.violate(f"{sent} frames were sent and {len(self.answers)} outcomes came")

    def violate(self, violation: str) -> None:
        if len(self.violations) < _MAX_VIOLATIONS:
            self.violations.append(f"{self.caller}: {violation}")

    def count(self, since: float, until: float) -> int:
        """Return how many outcomes came in this time."""
        return bisect_left(self.times, until) - bisect_left(self.times, since)

    def longest_gap(self, since: float, until: float) -> float:
        """Return the longest time without an outcome, of which some part is in this time.

        One that lasts longer than `until` counts up to that.
        """
        first = bisect_right(self.times, since)
        start = self.times[first - 1] if first else since
        times = [start, *self.times[first : bisect_right(self.times, until)], until]
        return max(after - before for before, after in pairwise(times))


def size_of(number: int) -> tuple[int, int]:
    """Return the width and height of the image of this number."""
    step = number % 8
    return 64 + 4 * step, 48 + 3 * step
