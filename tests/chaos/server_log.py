"""What a server may write to its log under chaos."""

from __future__ import annotations

import re

from tests.reference.faulty_runner import InjectedFaultError

_ERROR_NAME = re.escape(f"{InjectedFaultError.__module__}.{InjectedFaultError.__name__}")
_INJECTED = re.compile(
    r"^ERROR:posewire_server\.serving\.messages\.status:Unexpected error, answered as INTERNAL;.*\n"
    r"Traceback \(most recent call last\):\n(?: .*\n)+" + _ERROR_NAME + r":.*\n",
    re.MULTILINE,
)
# Python's and asyncio's words for what nothing handled.
_UNEXPECTED = re.compile(
    r"^(?:ERROR|CRITICAL):|Traceback|Exception ignored|never retrieved|never awaited|Fatal",
)
_MAX_LINES = 20


def injected_errors(log: str) -> int:
    """Return how many errors of the runner the log reports."""
    return len(_INJECTED.findall(log))


def unexpected_lines(log: str) -> list[str]:
    """Return the lines about errors other than the injected faults."""
    lines = _INJECTED.sub("", log).splitlines()
    return [line for line in lines if _UNEXPECTED.search(line)][:_MAX_LINES]
