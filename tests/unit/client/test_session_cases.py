"""The Python session passes the cases that the clients of all languages share."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference.session_cases import run_case, session_cases


@pytest.mark.parametrize("case", session_cases(), ids=lambda case: str(case["name"]))
def test_case(case: dict[str, Any]) -> None:
    run_case(case)


def test_names_are_unique() -> None:
    names = [case["name"] for case in session_cases()]
    assert len(set(names)) == len(names) > 50


@pytest.mark.parametrize(
    "step",
    [
        {"send": [1]},
        {"take": [{"result": 1}]},
        {"put_ready": False},
        {"secs_to_timeout": 1},
        {"reject": {"unknown": None}},
        {"put": {"bytes": 1}},
        {"end_call": {"code": "OK"}},
    ],
    ids=str,
)
def test_a_wrong_step_fails(step: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="step 1"):
        run_case({"name": "wrong", "steps": [step]})


def test_an_unknown_step_fails() -> None:
    with pytest.raises(AttributeError, match="do_sent"):
        run_case({"name": "wrong", "steps": [{"sent": []}]})
