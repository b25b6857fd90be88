"""The decision whether all workers take over the models that they have read again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

# The name and version of each model, as read from JSON; None from a worker that cannot load them.
Versions: TypeAlias = Sequence[Sequence[str]] | None


class Ballot:
    """Passes if all voters that are left have loaded the same versions."""

    def __init__(self, number: int, voters: Iterable[int]) -> None:
        self.number = number
        self._voters = set(voters)
        self._votes: dict[int, Versions] = {}
        # None until it is decided.
        self.has_passed: bool | None = None

    def vote(self, voter: int, versions: Versions) -> None:
        self._votes[voter] = versions
        self._decide()

    def leave(self, voter: int) -> None:
        """Count without this voter."""
        self._voters.discard(voter)
        self._votes.pop(voter, None)
        self._decide()

    def fail(self) -> None:
        """End an undecided ballot."""
        if self.has_passed is None:
            self.has_passed = False

    def _decide(self) -> None:
        if self.has_passed is not None:
            return
        votes = list(self._votes.values())
        if any(each is None or each != votes[0] for each in votes):
            self.has_passed = False
        elif self._voters <= self._votes.keys():
            self.has_passed = True
