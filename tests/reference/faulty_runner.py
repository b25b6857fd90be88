"""A runner that fails on images of certain colours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from posewire_server.estimation.runner import Infer, NetworkOutput, Runner

STALL_SECS = 3.0


class Fault(IntEnum):
    """What goes wrong. The value is that of all pixels of the image that causes it."""

    THROW = 251
    NAN = 252
    STALL = 253

    @property
    def image(self) -> NDArray[np.uint8]:
        return np.full((48, 64, 3), self.value, np.uint8)


class InjectedFaultError(Exception):
    """The error of `Fault.THROW`."""


class FaultyRunner:
    """Runs another runner, unless the first pixel of an image is that of a fault."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @property
    def capacity(self) -> int:
        return self._runner.capacity

    @contextmanager
    def request(self) -> Iterator[Infer]:
        with self._runner.request() as infer:

            def infer_or_fail(image: NDArray[np.uint8]) -> NetworkOutput:
                first = int(image[0, 0, 0])
                if first == Fault.THROW:
                    raise InjectedFaultError("injected fault")
                if first == Fault.STALL:
                    time.sleep(STALL_SECS)
                output = infer(image)
                if first == Fault.NAN:
                    return NetworkOutput(*(np.full_like(each, np.nan) for each in output))
                return output

            yield infer_or_fail
