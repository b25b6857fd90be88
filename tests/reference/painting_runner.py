"""A runner without a network, which paints the poses that a test names."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.estimation.runner import Infer, NetworkOutput
from posewire_server.geometry import InputGeometry
from posewire_server.serving.frames.served_model import ServedModel
from tests.reference.painting import Evidence, paint, suppress_non_maxima

_PATIENCE_SECS = 20

See = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


class PaintingRunner:
    """Sees people in the input space and keeps the images it was given.

    `people` (N, 17, 2) are where a network of delta 0.5 finds them, NaN where it does not; or a
    function that returns them for an image. `delay` returns the seconds that an inference takes.
    """

    def __init__(
        self,
        people: NDArray[np.float64] | See,
        *,
        capacity: int = 1,
        delay: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.capacity = capacity
        self.images: list[NDArray[np.uint8]] = []
        self._see: See = people if callable(people) else lambda _: people
        self._delay = delay
        self._idle = threading.Semaphore(capacity)

    @contextmanager
    def request(self) -> Iterator[Infer]:
        with self._idle:
            yield self._painted

    def _painted(self, image: NDArray[np.uint8]) -> NetworkOutput:
        self.images.append(image)
        time.sleep(self._delay())
        keypoints = self._see(image)
        seen: NDArray[np.bool_] = np.asarray(~np.isnan(keypoints).any(axis=2))
        tags = np.broadcast_to(3.0 * np.arange(len(seen))[:, None], seen.shape)
        height, width = image.shape[0] // 2, image.shape[1] // 2
        evidence = Evidence(
            np.asarray(np.nan_to_num(keypoints) / 2, np.float64),
            np.asarray(0.9 * seen, np.float64),
            tags,
        )
        heat, tags_painted = paint(np.random.default_rng(0), evidence, width=width, height=height)
        return NetworkOutput(suppress_non_maxima(heat), tags_painted)


class HeldRunner(PaintingRunner):
    """Finishes nothing before `release`."""

    def __init__(self, see: See) -> None:
        super().__init__(self._held)
        self._really_see = see
        self._begun = threading.Semaphore(0)
        self._released = threading.Event()

    def has_begun(self) -> bool:
        """Waits for the next image to be run."""
        return self._begun.acquire(timeout=_PATIENCE_SECS)

    def release(self) -> None:
        self._released.set()

    def _held(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        self._begun.release()
        self._released.wait(_PATIENCE_SECS)
        return self._really_see(image)


def painted_model(runner: PaintingRunner, *, name: str = "painted", size: int = 128) -> ServedModel:
    """The runner behind a letterbox that gives the short side `size` pixels."""
    geometry = InputGeometry(size=size, fit="short_side", padding="center")
    return ServedModel(name, "1", Pipeline(runner, Decoder(DecoderOptions()), geometry))
