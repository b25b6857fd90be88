"""The metrics of several processes as one text."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from prometheus_client import generate_latest

from posewire_server.serving.workers import joint_metrics
from posewire_server.serving.workers.joint_metrics import JointMetrics
from tests.reference.scrape import parse_samples, value

ONE = b"""\
# HELP posewire_frames_total Frames.
# TYPE posewire_frames_total counter
posewire_frames_total{model="demo"} 3.0
# HELP posewire_age_seconds Age.
# TYPE posewire_age_seconds histogram
posewire_age_seconds_bucket{le="0.1"} 2.0
posewire_age_seconds_bucket{le="+Inf"} 3.0
posewire_age_seconds_count 3.0
posewire_age_seconds_sum 1.5
"""


def text_of(*answers: bytes | None) -> str:
    """Return what the endpoint shows; None stands for a process that does not answer."""

    async def ask(answer: bytes | None) -> bytes:
        if answer is None:
            await asyncio.Event().wait()
        return answer or b""

    async def collect() -> str:
        metrics = JointMetrics()
        for number in range(len(answers)):
            metrics.count_start(number)
        await metrics.refresh({i: partial(ask, answer) for i, answer in enumerate(answers)})
        return generate_latest(metrics.registry).decode()

    return asyncio.run(collect())


def test_samples_have_the_number_of_their_process() -> None:
    text = text_of(ONE, ONE.replace(b"3.0", b"4.0"))
    samples = parse_samples(text)
    assert value(samples, "posewire_frames_total", process="0", model="demo") == 3
    assert value(samples, "posewire_frames_total", process="1", model="demo") == 4
    assert value(samples, "posewire_age_seconds_bucket", process="1", le="+Inf") == 4
    assert text.count("# TYPE posewire_frames_total counter") == 1
    assert text.count("# TYPE posewire_age_seconds histogram") == 1


def test_a_process_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint_metrics, "_ANSWER_SECS", 0.05)
    samples = parse_samples(text_of(None, ONE, b""))
    up = [value(samples, "posewire_process_up", process=str(i)) for i in range(3)]
    assert up == [0, 1, 0]
    assert value(samples, "posewire_frames_total") == 3
    assert value(samples, "posewire_process_starts_total") == 3
