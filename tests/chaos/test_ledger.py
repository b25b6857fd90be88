from __future__ import annotations

from dataclasses import replace

import pytest

from posewire_client import Outcome, Result, Skipped, SkipReason
from tests.chaos.ledger import Ledger
from tests.chaos.numbered_image import numbered_image
from tests.reference.outcomes import result, standing
from tests.reference.stub_server import PEOPLE


def answer(number: int) -> Result:
    height, width, _ = numbered_image(number).shape
    poses = [standing(x) for x in range(PEOPLE)]
    answered = result(*poses)
    return replace(answered, frame_id=number, image_width=width, image_height=height)


def skip(number: int, reason: SkipReason = SkipReason.SUPERSEDED) -> Skipped:
    return Skipped(frame_id=number, reason=reason)


def violations(*outcomes: Outcome, sent: int, allows_skips: bool = False) -> list[str]:
    ledger = Ledger(allows_skips=allows_skips)
    assert [ledger.send() for _ in range(sent)] == [*range(1, sent + 1)]
    for outcome in outcomes:
        ledger.record(outcome)
    ledger.close()
    return ledger.violations


def test_one_outcome_for_every_frame_in_order_is_right() -> None:
    assert not violations(answer(1), answer(2), sent=2)
    assert not violations(answer(1), skip(2), answer(3), sent=3, allows_skips=True)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([answer(1)], "2 frames were sent and 1 outcomes came"),
        ([answer(1), answer(1)], "outcome of frame 1, expected that of 2"),
        ([answer(2), answer(1)], "outcome of frame 2, expected that of 1"),
        ([answer(1), skip(2)], "frame 2 was skipped as superseded"),
        ([answer(1), replace(answer(1), frame_id=2)], "frame 2 got Result"),
        ([answer(1), replace(answer(2), poses=())], "frame 2 got Result"),
        ([answer(1), answer(2), answer(3)], "2 frames were sent and 3 outcomes came"),
    ],
)
def test_anything_else_is_a_violation(outcomes: list[Outcome], expected: str) -> None:
    assert any(each.startswith(expected) for each in violations(*outcomes, sent=2))


def test_latest_frames_are_only_superseded() -> None:
    (violation,) = violations(skip(1, SkipReason.OVERLOADED), sent=1, allows_skips=True)
    assert violation == "frame 1 was skipped as overloaded"
