"""All processes take the same models over, or none does."""

from __future__ import annotations

import pytest

from posewire_server.serving.workers.ballot import Ballot

OLD, NEW = [["demo", "1"]], [["demo", "2"]]


@pytest.fixture
def ballot() -> Ballot:
    return Ballot(1, [0, 1])


def test_it_passes_when_all_have_loaded_the_same(ballot: Ballot) -> None:
    ballot.vote(0, NEW)
    assert ballot.has_passed is None
    ballot.vote(1, NEW)
    assert ballot.has_passed is True


@pytest.mark.parametrize("other", [None, OLD], ids=["failed", "another version"])
def test_one_that_differs_is_enough_to_fail(ballot: Ballot, other: list[list[str]] | None) -> None:
    ballot.vote(1, other)
    ballot.vote(0, NEW)
    assert ballot.has_passed is False


def test_a_failure_needs_no_other_votes(ballot: Ballot) -> None:
    ballot.vote(0, None)
    assert ballot.has_passed is False


def test_one_that_dies_does_not_count(ballot: Ballot) -> None:
    ballot.vote(0, NEW)
    ballot.leave(1)
    assert ballot.has_passed is True


def test_a_result_is_final(ballot: Ballot) -> None:
    ballot.fail()
    for voter in (0, 1):
        ballot.vote(voter, NEW)
    assert ballot.has_passed is False
