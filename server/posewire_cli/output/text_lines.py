"""Prints results, one line of text each."""

from __future__ import annotations

from tqdm import tqdm

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.error_text import describe_error
from posewire_cli.output.stage_times import stage_line
from posewire_client import FrameFailure, Outcome, Result, Skipped


class TextLines:
    """Prints every n-th outcome on stdout, from the first, without breaking progress bars.

    Failures are left to `ErrorLines`.
    """

    def __init__(self, *, every: int = 1) -> None:
        self._every = every
        self._count = 0

    def write(self, image: AnsweredImage) -> None:
        if self._count % self._every == 0 and not isinstance(image.outcome, FrameFailure):
            tqdm.write(f"{image.name}: {describe(image.outcome)}")
        self._count += 1

    def close(self) -> None:
        pass


def describe(outcome: Outcome) -> str:
    """Summarize an outcome in one line."""
    match outcome:
        case Result():
            people = f"{count_people(outcome)}{_scores(outcome)}"
            return f"{people}; {stage_line(outcome.stage_times)}"
        case FrameFailure():
            return describe_error(outcome.error, image="")
        case Skipped():
            return f"skipped: {outcome.reason.value}"


def count_people(result: Result) -> str:
    """Format the number of people."""
    people = len(result.poses)
    return {0: "no people", 1: "1 person"}.get(people, f"{people} people")


def _scores(result: Result) -> str:
    scores = ", ".join(f"{score:.2f}" for score in result.scores)
    return f" ({scores})" if result.poses else ""
