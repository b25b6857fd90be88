from __future__ import annotations

import pytest

from tests.chaos.server_log import injected_errors, unexpected_lines

HEAD = (
    "ERROR:posewire_server.serving.messages.status:"
    "Unexpected error, answered as INTERNAL; request a1\n"
)
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    f()\n    ^^^\n'
INJECTED = HEAD + TRACEBACK + "tests.reference.faulty_runner.InjectedFaultError: injected fault\n"
OTHER = HEAD + TRACEBACK + "ValueError: a bug\n"


def test_errors_of_the_runner_are_expected() -> None:
    log = f"WARNING:posewire_server:slow\n{INJECTED}E0000 ssl: Handshake failed\n{INJECTED}"
    assert not unexpected_lines(log)
    assert injected_errors(log) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        OTHER,
        TRACEBACK + "tests.reference.faulty_runner.InjectedFaultError: not logged as answered\n",
        "ERROR:asyncio:Task exception was never retrieved\n",
        "Exception ignored in: <coroutine object f>\n",
    ],
)
def test_any_other_error_is_not(trouble: str) -> None:
    log = INJECTED + trouble + INJECTED
    assert unexpected_lines(log)
    assert injected_errors(log) == 2
