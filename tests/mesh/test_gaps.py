from __future__ import annotations

from contextlib import nullcontext
from typing import cast

import pytest

from tests.mesh.clients import DIRECT, ENVOY, GO, PYTHON, ClientProcess
from tests.mesh.events import Event, Mesh, hang
from tests.mesh.gaps import Gaps


class Client:
    def __init__(self, way: str, language: str) -> None:
        self.way = way
        self.language = language

    def __str__(self) -> str:
        return f"{self.language}, {self.way}"


def ignore(mesh: Mesh) -> nullcontext[None]:
    return nullcontext()


def client(way: str = ENVOY, language: str = PYTHON) -> ClientProcess:
    return cast(ClientProcess, Client(way, language))


@pytest.mark.parametrize(
    ("gaps", "undisturbed", "is_too_long"),
    [
        ((0.4, 0.4), 0.2, False),
        ((0.6, 0.4), 0.2, True),
        ((0.4, 0.6), 0.2, True),
        ((0.6, 0.4), 0.5, False),  # another program had the processor
        ((1.1, 0.4), 0.5, True),
        ((0.4, 0.4), 1.1, True),  # too busy to measure
    ],
)
def test_gaps_are_bounded(gaps: tuple[float, float], undisturbed: float, is_too_long: bool) -> None:
    measured = Gaps(Event("it breaks", ignore, 0.5), {client(): gaps}, undisturbed)
    assert bool(measured.too_long) == is_too_long


def test_a_busy_machine_does_not_prolong_the_timeouts_that_a_bound_is_for() -> None:
    def gaps(secs: float) -> Gaps:
        return Gaps(Event("it hangs", hang, 5.0), {client(): (secs, 0.1)}, 0.5)

    assert gaps(5.4).too_long == []
    assert gaps(5.6).too_long == [
        "it hangs: Python, Envoy had no outcome for 5.60 s, expected less than 5.50 s"
    ]


def test_only_go_clients_without_envoy_may_wait_longer_for_a_server_that_hangs() -> None:
    gaps = {
        client(way, language): (12.0, 12.0) for way in (ENVOY, DIRECT) for language in (PYTHON, GO)
    }
    measured = Gaps(Event("it hangs", hang, 5.0), gaps, 0.1)
    expected = "had no outcome for 12.00 s, expected less than 5.00 s"
    assert measured.too_long == [
        f"it hangs: {name} {expected}" for name in ("Python, Envoy", "Go, Envoy", "Python, direct")
    ]
