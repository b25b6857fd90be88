"""A call and its frames, of which each ends once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from posewire.v1 import stream_pb2
from posewire_server.serving.errors import (
    BusyError,
    DeadlineMissedError,
    DeadlineTooShortError,
    InternalError,
)
from posewire_server.serving.frames.frame_in_flight import Failed, Skipped
from posewire_server.serving.observation.call import Call, FrameEnd, FrameLabels, Metadata, Method

STREAM = Method("service", "Stream", "bidi_stream")
UNARY = Method("service", "Once", "unary")


class Recorder:
    """An observer that keeps what it sees."""

    def __init__(self) -> None:
        self.began = 0
        self.frames: list[FrameLabels] = []
        self.codes: list[str] = []

    def start_call(self, call: Call, metadata: Metadata) -> None:
        self.began += 1

    def end_frame(self, call: Call, frame: FrameEnd) -> None:
        self.frames.append(frame.labels)

    def end_call(self, call: Call) -> None:
        self.codes.append(call.code)


def test_frames_without_an_outcome_end_with_their_stream() -> None:
    seen = Recorder()
    call = Call(STREAM, (seen,))
    for _ in range(4):
        call.accept_frame()
    call.end_frame(Skipped(stream_pb2.SKIP_REASON_TOO_OLD), frame_id=1, age_secs=0)
    call.end_frame(Failed(InternalError()), frame_id=2, age_secs=0)
    call.cancel()
    call.end()
    cancelled = FrameLabels("cancelled", "CANCELLED")
    wanted = [FrameLabels("skipped", "TOO_OLD"), FrameLabels("error", "INTERNAL")]
    assert seen.frames == [*wanted, cancelled, cancelled]
    assert (seen.began, seen.codes) == (1, ["CANCELLED"])
    assert call.frames[cancelled] == 2


@pytest.mark.parametrize(
    ("end", "labels"),
    [
        (lambda call: call.fail(BusyError("full", reason="QUEUE_FULL")), ("error", "QUEUE_FULL")),
        (lambda call: call.fail(DeadlineMissedError("late")), ("cancelled", "DEADLINE_EXCEEDED")),
        (
            lambda call: call.fail(DeadlineTooShortError(wait_secs=2, remaining_secs=1)),
            ("error", "DEADLINE_TOO_SHORT"),
        ),
        (lambda call: call.cancel(), ("cancelled", "CANCELLED")),
    ],
)
def test_the_image_of_a_unary_call_ends_as_the_call_does(
    end: Callable[[Call], None], labels: tuple[str, str]
) -> None:
    seen = Recorder()
    call = Call(UNARY, (seen,))
    call.accept_frame()
    end(call)
    call.end()
    assert seen.frames == [FrameLabels(*labels)]


@pytest.mark.parametrize(
    ("remaining_secs", "code"),
    [(None, "CANCELLED"), (60.0, "CANCELLED"), (0.0, "DEADLINE_EXCEEDED")],
)
def test_a_call_that_is_cut_off_at_its_deadline_has_missed_it(
    remaining_secs: float | None, code: str
) -> None:
    call = Call(STREAM, remaining_secs=remaining_secs)
    call.cancel()
    assert call.code == code


@pytest.mark.parametrize("sent", [b"bytes", "\n", "x" * 129, "", "a b"])
def test_a_bad_request_id_is_replaced(sent: str | bytes) -> None:
    ids = {Call(UNARY, metadata=[("x-request-id", sent)]).request_id for _ in range(2)}
    assert len(ids) == 2
    assert all(len(each) == 32 for each in ids)
