"""Prints results, one line of text each."""

from __future__ import annotations

from tqdm import tqdm

from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.columns import format_columns
from posewire_cli.output.error_text import describe_error
from posewire_cli.output.stage_times import stage_line
from posewire_client import FrameFailure, Origin, Outcome, Pose, Result, Skipped


class TextLines:
    """Prints every n-th outcome on stdout, from the first, without breaking progress bars.

    Failures are left to `ErrorLines`. `people`: whether to print a line for each person.
    """

    def __init__(self, *, every: int = 1, people: bool = True, timings: bool = False) -> None:
        self._every = every
        self._people = people
        self._timings = timings
        self._count = 0

    def write(self, image: AnsweredImage) -> None:
        if self._count % self._every == 0 and not isinstance(image.outcome, FrameFailure):
            text = describe(image.outcome, timings=self._timings)
            if self._people and isinstance(image.outcome, Result):
                text += _people_lines(image.outcome)
            tqdm.write(f"{image.name}: {text}")
        self._count += 1

    def close(self) -> None:
        pass


def describe(outcome: Outcome, *, timings: bool = False) -> str:
    """Summarize an outcome in one line."""
    match outcome:
        case Result():
            size = f"{outcome.image_width}x{outcome.image_height}"
            line = f"{size}, {count_people(outcome)}"
            return f"{line}; {stage_line(outcome.stage_times)}" if timings else line
        case FrameFailure():
            return describe_error(outcome.error, image="")
        case Skipped():
            return f"skipped: {outcome.reason.value}"


def count_people(result: Result) -> str:
    """Format the number of people."""
    people = len(result.poses)
    return {0: "no people", 1: "1 person"}.get(people, f"{people} people")


def _people_lines(result: Result) -> str:
    """Format a line for each person, with the box as --region takes it."""
    if not result.poses:
        return ""
    columns = format_columns([_person(pose) for pose in result.poses], align="<<><")
    return "".join(f"\n  {line}" for line in columns.splitlines())


def _person(pose: Pose) -> list[str]:
    box = pose.box
    corners = ",".join(f"{side:.0f}" for side in (box.x_min, box.y_min, box.x_max, box.y_max))
    found = int((pose.origins != Origin.ABSENT).sum())
    track = "" if pose.track_id is None else f"track {pose.track_id}"
    return [f"score {pose.score:.2f}", f"box {corners}", f"{found} keypoints", track]
