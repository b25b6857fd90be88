"""What `make bench-metrics` measures alone can be measured."""

from __future__ import annotations

from tests.bench.metrics import micros_of_counting


def test_the_benchmark_counts_frames() -> None:
    assert micros_of_counting(frames=100, runs=1) > 0
