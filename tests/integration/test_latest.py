"""A LATEST stream with a camera that is faster than the network."""

from __future__ import annotations

from tests.bench.latest import table, watch


def test_every_frame_of_a_fast_camera_has_one_outcome_on_both_sides() -> None:
    watched = watch(2.0)
    print(table(watched))
    assert watched.outcomes == watched.sent
    assert watched.counts[("result", "")] > 0
    assert watched.counts[("skipped", "SUPERSEDED")] > 0
    assert set(watched.counts) == {("result", ""), ("skipped", "SUPERSEDED")}
    assert watched.counts == watched.counted_by_server
