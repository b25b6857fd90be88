"""The frames of a stream whose outcome the caller has not taken."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from posewire.v1 import stream_pb2
from posewire_client.image import ImageInput
from posewire_client.request import FrameRequest
from posewire_client.response import outcome_from_message
from posewire_client.result import Outcome, Skipped, SkipReason
from posewire_client.skeleton import Skeleton


@dataclass(slots=True, eq=False)
class PendingFrame:
    """A frame whose outcome has not been taken."""

    frame_id: int
    request: FrameRequest | None  # None once there is an outcome
    kept: ImageInput | None = None  # of the image, for its result
    outcome: stream_pb2.FrameOutcome | None = None
    holds_slot: bool = False  # of the window: from sending until the outcome is taken

    def settle(self, outcome: stream_pb2.FrameOutcome) -> None:
        """Record the outcome and release the image."""
        self.outcome = outcome
        self.request = None


class PendingFrames:
    """Numbers the frames and returns their outcomes in order.

    Frames that a newer one replaced take no memory: they are the gaps between the numbers of the
    others. What it holds is therefore bounded by the window, however slow the caller is.
    """

    def __init__(self, *, is_latest: bool) -> None:
        self.to_send: deque[PendingFrame] = deque()
        self.in_flight: deque[PendingFrame] = deque()
        self._is_latest = is_latest
        self._held: deque[PendingFrame] = deque()  # all but the replaced ones, in order
        self._slots_held = 0
        self._last_id = 0
        self._last_taken_id = 0
        self._skips_taken = 0

    def put(self, request: FrameRequest) -> None:
        """Add the next frame. With LATEST it replaces one that waits to be sent."""
        if self._is_latest and self.to_send:
            self._held.remove(self.to_send.pop())
        self._last_id += 1
        request.message.frame.frame_id = self._last_id
        frame = PendingFrame(self._last_id, request, kept=request.kept)
        self._held.append(frame)
        self.to_send.append(frame)

    def is_send_ready(self, window: int) -> bool:
        """Whether `next_to_send` has a frame."""
        return bool(self.to_send) and self._has_free_slot(window)

    def next_to_send(self, window: int) -> PendingFrame | None:
        """Remove the next frame to send, or return None if there is none or the window is full."""
        if not self.is_send_ready(window):
            return None
        frame = self.to_send.popleft()
        frame.holds_slot = True
        self._slots_held += 1
        return frame

    def requeue(self) -> None:
        """Queue all frames without an outcome, in order; with LATEST only the newest of them."""
        self.in_flight.clear()
        self.to_send = deque(frame for frame in self._held if frame.outcome is None)
        for frame in self.to_send:
            self._release_slot(frame)
        if self._is_latest and len(self.to_send) > 1:
            newest = self.to_send[-1]
            self.to_send = deque([newest])
            self._held = deque(
                frame for frame in self._held if frame.outcome is not None or frame is newest
            )

    @property
    def is_take_ready(self) -> bool:
        """Whether `take` has an outcome."""
        return self._is_next_replaced or self._is_next_settled

    def take(self, model_name: str, skeleton: Skeleton | None = None) -> Outcome | None:
        """Return the next outcome in order, or None if there is none."""
        if self._is_next_replaced:
            return self._take_replaced()
        if self._is_next_settled:
            return self._take_settled(model_name, skeleton)
        return None

    @property
    def _is_next_replaced(self) -> bool:
        oldest_held = self._held[0].frame_id if self._held else self._last_id + 1
        return self._last_taken_id + 1 < oldest_held

    @property
    def _is_next_settled(self) -> bool:
        return bool(self._held) and self._held[0].outcome is not None

    def _take_replaced(self) -> Skipped:
        self._last_taken_id += 1
        self._skips_taken += 1
        return Skipped(
            frame_id=self._last_taken_id,
            reason=SkipReason.SUPERSEDED,
            frames_skipped_before=self._skips_taken - 1,
        )

    def _take_settled(self, model_name: str, skeleton: Skeleton | None) -> Outcome:
        frame = self._held.popleft()
        assert frame.outcome is not None  # it is settled
        self._release_slot(frame)
        outcome = outcome_from_message(
            frame.outcome,
            model=model_name,
            frames_skipped_before=self._skips_taken,
            skeleton=skeleton,
            image=frame.kept,
        )
        self._last_taken_id = frame.frame_id
        self._skips_taken += isinstance(outcome, Skipped)
        return outcome

    def _has_free_slot(self, window: int) -> bool:
        # Outcomes that the caller has not taken keep their slots; otherwise they would pile up when
        # the caller is slow. The oldest frame is exempt, because they wait for its outcome.
        return len(self.in_flight) < window and (
            self._slots_held < window or self.to_send[0] is self._held[0]
        )

    def _release_slot(self, frame: PendingFrame) -> None:
        self._slots_held -= frame.holds_slot
        frame.holds_slot = False
