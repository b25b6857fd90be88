"""Frames of many aspects must not cost memory for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posewire_client import Client
from tests.reference.server_process import server_process

MIB = 1 << 20


def test_memory_does_not_grow_with_the_number_of_aspects(report: Callable[[str], None]) -> None:
    with (
        server_process("tests.reference.demo_server") as server,
        Client(server.address) as client,
    ):
        sides = [(64, 64 + 8 * step) for step in range(57)]
        before = server.resident_bytes
        for width, height in [*sides, *((height, width) for width, height in sides)]:
            client.estimate(np.zeros((height, width, 3), np.uint8))
        growth = server.resident_bytes - before
    report(f"{2 * len(sides)} aspects cost {growth / MIB:.0f} MiB")
    assert growth < 900 * MIB
