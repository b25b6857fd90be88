"""The memory that decoding needs, and threads that decode at the same time."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from posewire_decoder import Decoder, ReferenceDecoder, ReferenceOptions
from tests.reference.comparison import assert_identical
from tests.reference.scenes import KINDS, scene

WIDTH, HEIGHT = 128, 96


DECODE_WITHOUT_ROOM_FOR_A_COPY = """
import resource
import numpy as np
from posewire_decoder import {decoder}

heatmaps = np.zeros((17, 1024, 1024), np.float32)
tags = np.zeros((17, 1024, 1024, 2), np.float32)
heatmaps[:, 500, 700] = 0.75
decoder = {decoder}()
with open("/proc/self/statm") as sizes:
    pages = int(sizes.read().split()[0])
room = pages * resource.getpagesize() + heatmaps.nbytes // 4
resource.setrlimit(resource.RLIMIT_AS, (room, room))
try:
    heatmaps.copy()
except MemoryError:
    print(decoder.decode(heatmaps, tags).keypoints[0, 0].tolist())
"""


@pytest.mark.parametrize("decoder", ["Decoder", "ReferenceDecoder"])
def test_decoding_needs_a_fraction_of_the_memory_of_its_maps(decoder: str) -> None:
    """In a process that may grow by a quarter of its heatmaps, where no copy has room."""
    code = DECODE_WITHOUT_ROOM_FOR_A_COPY.format(decoder=decoder)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[700.5, 500.5]", done.stderr


def test_threads_share_a_decoder() -> None:
    decoder = Decoder()
    scenes = [scene(kind, seed, width=WIDTH, height=HEIGHT) for kind in KINDS for seed in range(4)]
    alone = [decoder.decode(each.heatmaps, each.tags) for each in scenes]
    rounds = 6 * list(range(len(scenes)))
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda i: decoder.decode(scenes[i].heatmaps, scenes[i].tags), rounds)
        for i, poses in zip(rounds, answers, strict=True):
            assert_identical(poses, alone[i])


@pytest.fixture
def no_involuntary_switches() -> Iterator[None]:
    """A thread that has the interpreter keeps it until it waits or gives it up."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("no_involuntary_switches")
def test_other_threads_run_while_one_decodes() -> None:
    # No person has the second keypoint, so the reference searches all cells for each of 64 poses.
    heatmaps = np.zeros((2, 512, 512), np.float32)
    heatmaps[0, 2::64, 2::64] = 0.5
    tags = np.zeros_like(heatmaps)
    tags[0] = np.arange(512)
    decoder = ReferenceDecoder(ReferenceOptions(max_peaks=64, grouping_order=(0, 1)))
    started, may_run, has_run = threading.Event(), threading.Event(), threading.Event()

    def other() -> None:
        started.set()
        may_run.wait()
        has_run.set()

    thread = threading.Thread(target=other)
    thread.start()
    started.wait()
    may_run.set()
    sum(range(100_000))
    assert not has_run.is_set()  # This thread has had the interpreter all the time.
    for _ in range(50):
        decoder.decode(heatmaps, tags)
        if has_run.is_set():
            break
    assert has_run.is_set()
    thread.join()
