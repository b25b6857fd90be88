"""How much memory a server has after many frames."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice, repeat
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire_client import Client, Outcome, Result
from tests.reference.stub_server import PEOPLE, stub_server


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc/PID/statm")
def test_memory_does_not_grow_with_the_number_of_frames() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    with (
        stub_server(capacity=2) as server,
        Client(server.address) as client,
        closing(client.stream(repeat(jpeg))) as outcomes,
    ):
        assert answered(outcomes, 1000) == 1000
        before = server.resident_bytes
        assert answered(outcomes, 9000) == 9000
        assert server.resident_bytes - before < 20e6


def answered(outcomes: Iterator[Outcome], count: int) -> int:
    """How many of the next `count` frames come back with the people in them."""
    results = (each for each in islice(outcomes, count) if isinstance(each, Result))
    return sum(len(each.poses) == PEOPLE for each in results)
