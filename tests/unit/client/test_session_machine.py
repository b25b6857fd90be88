"""In any course of a stream, every frame gets exactly one outcome, in order."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from posewire.v1 import stream_pb2
from posewire_client import (
    CallCancelledError,
    Delivery,
    FrameFailure,
    InternalError,
    Outcome,
    ResourceExhaustedError,
    Skipped,
    SkipReason,
    UnavailableError,
)
from posewire_client.request import frame_request
from tests.reference.client_session import session_of
from tests.reference.scripted_service import (
    draining,
    error_for,
    result_for,
    skip_for,
    started,
    status,
)

LIMIT = 8  # bytes of an image
CUTS = (
    UnavailableError("gone"),
    InternalError("reset"),
    CallCancelledError("stopping"),
    ResourceExhaustedError("busy", retry_after_secs=0.5),
)
SERVER_SKIPS = {
    Delivery.LOSSLESS: [],
    Delivery.LATEST: [
        stream_pb2.SKIP_REASON_SUPERSEDED,
        stream_pb2.SKIP_REASON_TOO_OLD,
        stream_pb2.SKIP_REASON_OVERLOADED,
    ],
}


class StreamMachine(RuleBasedStateMachine):
    """A session between a caller and servers that keep the contract until the call is cut."""

    @initialize(delivery=st.sampled_from(Delivery), asked=st.none() | st.integers(1, 4))
    def begin(self, delivery: Delivery, asked: int | None) -> None:
        self.delivery, self.asked = delivery, asked
        self.session = session_of(delivery=delivery, window=asked, retry_for_secs=None)
        self.frames = 0
        self.too_large: set[int] = set()
        self.outcomes: list[Outcome] = []
        self.answered: set[int] = set()
        self.is_source_finished = False
        self.wait: float | None = 0.0
        self.call: int | None = None
        self.was_started = False

    # The caller

    @precondition(lambda self: not self.is_source_finished and self.session.is_put_ready)
    @rule(size=st.integers(1, LIMIT + 2))
    def put(self, size: int) -> None:
        self.frames += 1
        self.session.put(frame_request(b"x" * size))
        if size > LIMIT:
            self.too_large.add(self.frames)

    @precondition(lambda self: not self.is_source_finished and self.frames > 3)
    @rule()
    def finish_source(self) -> None:
        self.is_source_finished = True
        self.session.finish_source()

    @rule()
    def take(self) -> None:
        outcome = self.session.take()
        if outcome is not None:
            self.outcomes.append(outcome)

    # The transport and the server

    @precondition(lambda self: self.call is None and self.wait is not None)
    @rule(window=st.integers(1, 4))
    def open_call(self, window: int) -> None:
        self.call = self.session.open_call()
        self.window = window if self.asked is None else min(window, self.asked)
        self.unanswered: list[Any] = []
        self.is_started = self.is_draining = False
        self.last_sent = 0
        self.announced = window

    @precondition(lambda self: self.call is not None and not self.is_started)
    @rule()
    def start(self) -> None:
        self.is_started = self.was_started = True
        self.session.receive(started(window=self.announced, max_image_bytes=LIMIT))

    @precondition(lambda self: self.call is not None)
    @rule()
    def send(self) -> None:
        assert self.call is not None
        if self.session.should_half_close(self.call):
            return
        request = self.session.next_request()
        if request is None:
            return
        frame_id = request.frame.frame_id
        assert self.is_started
        assert not self.is_draining
        assert frame_id > self.last_sent, "frame ids increase within a call"
        assert frame_id not in self.answered, "a frame with an outcome is not resent"
        assert frame_id not in self.too_large
        self.last_sent = frame_id
        self.unanswered.append(request)

    @precondition(lambda self: self.call is not None and self.unanswered)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        request = self.unanswered.pop(0)
        kinds = [result_for(request), error_for(request, status(13, "defect"))]
        kinds += [skip_for(request, reason) for reason in SERVER_SKIPS[self.delivery]]
        response = data.draw(st.sampled_from(kinds))
        self.answered.add(request.frame.frame_id)
        self.session.receive(response)

    @precondition(lambda self: self.call is not None and self.is_started and not self.is_draining)
    @rule()
    def drain(self) -> None:
        self.is_draining = True
        self.session.receive(draining())

    @precondition(lambda self: self.call is not None and self.is_draining and self.unanswered)
    @rule()
    def skip_as_draining(self) -> None:
        request = self.unanswered.pop(0)
        if self.delivery is Delivery.LATEST:
            self.answered.add(request.frame.frame_id)
        self.session.receive(skip_for(request, stream_pb2.SKIP_REASON_DRAINING))

    @precondition(lambda self: self.call is not None)
    @rule(error=st.sampled_from(CUTS))
    def cut(self, error: Any) -> None:
        self.end_call(error)

    @precondition(lambda self: self.call is not None and self.was_started and not self.is_started)
    @rule()
    def time_out(self) -> None:
        self.session.time_out()
        self.end_call(None)

    @precondition(lambda self: self.call is not None and not self.unanswered and self.is_started)
    @rule()
    def end_with_ok(self) -> None:
        assert self.call is not None
        if self.session.should_half_close(self.call):
            self.end_call(None)

    def end_call(self, error: Any) -> None:
        assert self.call is not None
        self.wait = self.session.end_call(error)
        assert self.session.should_half_close(self.call)
        assert self.session.next_request() is None
        self.call = None

    # Invariants

    @invariant()
    def the_window_is_kept(self) -> None:
        if self.call is not None:
            assert len(self.unanswered) <= self.window

    @invariant()
    def outcomes_come_in_order(self) -> None:
        assert [each.frame_id for each in self.outcomes] == [*range(1, len(self.outcomes) + 1)]

    @invariant()
    def frames_held_are_bounded(self) -> None:
        if self.delivery is Delivery.LOSSLESS:
            # Four in flight or waiting to be taken, the oldest, which is sent without a slot, and
            # one that waits to be sent.
            assert self.frames - len(self.outcomes) <= 6

    def teardown(self) -> None:
        """A server that processes every frame brings any stream to its end."""
        if not hasattr(self, "session"):
            return
        if not self.is_source_finished:
            self.finish_source()
        for _ in range(4 * self.frames + 20):
            self.take()
            if self.wait is None:
                continue
            if self.call is None:
                self.open_call(window=1)
            if not self.is_started:
                self.start()
            self.send()
            if self.unanswered:
                request = self.unanswered.pop(0)
                self.answered.add(request.frame.frame_id)
                self.session.receive(result_for(request))
            if not self.unanswered:
                self.end_with_ok()
        assert self.session.is_finished
        self.outcomes_come_in_order()
        assert len(self.outcomes) == self.frames
        self.check_kinds()

    def check_kinds(self) -> None:
        skips = 0
        for outcome in self.outcomes:
            assert outcome.frames_skipped_before == skips
            skips += isinstance(outcome, Skipped)
            if self.delivery is Delivery.LOSSLESS:
                assert not isinstance(outcome, Skipped)
                if outcome.frame_id in self.too_large:
                    assert isinstance(outcome, FrameFailure)
                else:
                    assert outcome.frame_id in self.answered
            elif outcome.frame_id not in self.answered | self.too_large:
                assert isinstance(outcome, Skipped)
                assert outcome.reason is SkipReason.SUPERSEDED


StreamMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    report_multiple_bugs=False,  # each takes long to shrink
    # Few rules apply in any state, and the machine may be busy.
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
TestStream = StreamMachine.TestCase
