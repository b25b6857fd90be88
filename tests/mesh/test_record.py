from __future__ import annotations

import pytest

from tests.mesh.record import Answer, Record, size_of

PEOPLE = 3


def answer(number: int) -> Answer:
    return Answer(number, *size_of(number), PEOPLE)


def record(*answers: Answer, sent: int) -> Record:
    made = Record("stream-1")
    for moment, each in enumerate(answers):
        made.add(each, time=float(moment))
    made.close(sent)
    return made


def test_one_outcome_for_every_frame_in_order_is_right() -> None:
    assert record(answer(1), answer(2), sent=2).violations == []


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([answer(1)], "stream-1: 2 frames were sent and 1 outcomes came"),
        ([answer(1), answer(1)], "stream-1: outcome of frame 1, expected that of 2"),
        ([answer(2), answer(1)], "stream-1: outcome of frame 2, expected that of 1"),
        ([answer(1), answer(2), answer(3)], "stream-1: 2 frames were sent and 3 outcomes came"),
        (
            [answer(1), Answer(2, *size_of(1), PEOPLE)],
            "stream-1: frame 2 got the result of another image: "
            "Answer(frame=2, width=68, height=51, people=3)",
        ),
    ],
)
def test_anything_else_is_a_violation(answers: list[Answer], expected: str) -> None:
    assert record(*answers, sent=2).violations[0] == expected


@pytest.mark.parametrize(
    ("since", "until", "gap"),
    [
        (1.1, 3.0, 1.0),
        (3.5, 3.6, 0.6),  # one that began before
        (0.0, 8.0, 5.0),  # one that lasts
        (1.0, 1.0, 0.0),
        (9.0, 9.5, 6.5),
    ],
)
def test_gaps_count_if_some_part_of_them_is_in_the_time(
    since: float, until: float, gap: float
) -> None:
    assert record(*map(answer, range(1, 5)), sent=4).longest_gap(since, until) == pytest.approx(gap)


def test_a_caller_without_an_outcome_has_had_none_all_the_time() -> None:
    assert Record("unary-0").longest_gap(2.0, 5.0) == 3.0


def test_outcomes_are_counted_from_the_first_moment_to_before_the_last() -> None:
    assert record(*map(answer, range(1, 5)), sent=4).count(1.0, 3.0) == 2
