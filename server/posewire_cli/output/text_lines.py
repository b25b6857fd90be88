"""Answers as one line each, for people."""

from __future__ import annotations

from tqdm import tqdm

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.stage_times import stage_line
from posewire_client import FrameFailure, Outcome, Result, Skipped


class TextLines:
    """Prints the first of them and one in `every` on stdout, between updates of progress bars."""

    def __init__(self, *, every: int = 1) -> None:
        self._every = every
        self._count = 0

    def write(self, image: AnsweredImage) -> None:
        if self._count % self._every == 0:
            tqdm.write(f"{image.name}: {told(image.outcome)}")
        self._count += 1

    def close(self) -> None:
        pass


def told(outcome: Outcome) -> str:
    """What became of an image, in a few words."""
    match outcome:
        case Result():
            people = f"{counted_people(outcome)}{_scores(outcome)}"
            return f"{people}; {stage_line(outcome.stage_times)}"
        case FrameFailure():
            return str(outcome.error)
        case Skipped():
            return f"skipped: {outcome.reason.value}"


def counted_people(result: Result) -> str:
    """How many there are."""
    people = len(result.poses)
    return {0: "nobody", 1: "1 person"}.get(people, f"{people} people")


def _scores(result: Result) -> str:
    scores = ", ".join(f"{score:.2f}" for score in result.scores)
    return f" ({scores})" if result.poses else ""
