"""The calls with which the fuzzer of messages begins have the answers that they had when added."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.calls import Call
from tests.fuzz.fuzz_messages import CORPUS, Fuzzed, fuzzed


@pytest.fixture(scope="module")
def target() -> Iterator[Fuzzed]:
    with fuzzed() as target:
        yield target


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_a_call_has_its_answer_and_the_next_is_answered(target: Fuzzed, name: str) -> None:
    text = (CORPUS / name).read_text()
    *_, wanted = text.splitlines()
    assert f"= {target.answer(Call.parse(text))}" == wanted
    target.check_serves()
