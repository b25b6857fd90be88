"""A frame of a stream, or the image of a unary call, from its acceptance to its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from posewire.v1 import stream_pb2
from posewire.v1.image_pb2 import Image
from posewire_decoder import SerializedPoses
from posewire_server.errors import RequestError
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Estimate
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.access.caller import Caller
from posewire_server.serving.frames.answer import SerializedFields
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.messages.status import as_request_error
from posewire_server.serving.scheduling.byte_budget import Hold
from posewire_server.serving.scheduling.network_gate import NetworkGate, WithdrawnError


@dataclass(frozen=True, slots=True)
class Skipped:
    """The frame was not processed."""

    reason: stream_pb2.SkipReason


@dataclass(frozen=True, slots=True, eq=False)
class Processed:
    """The frame was processed, after it had waited `waited_secs` for its turn.

    The poses are serialized, unless the options are for tracking. `fields`: those of the result
    after its poses.
    """

    estimate: Estimate[SerializedPoses] | Estimate[FramePoses]
    waited_secs: float
    fields: SerializedFields

    @property
    def serialized_poses(self) -> bytes:
        poses = self.estimate.poses
        assert isinstance(poses, SerializedPoses), "a stream with tracks serializes them itself"
        return poses.data


@dataclass(frozen=True, slots=True, eq=False)
class Failed:
    """The frame could not be processed."""

    error: RequestError


Outcome = Processed | Skipped | Failed


class FrameInFlight:
    """One image with its options, for which `caller` wants an outcome.

    `hold` is the image's part of the byte budget, released with the image.
    `due_at`: when the caller withdraws it at the latest, by `monotonic`; None for never.
    `max_age_secs`: a frame that is older when the network becomes free is skipped. `on_settled` is
    called once, when the frame gets its outcome. The event loop owns the frame; `process` runs in
    another thread and reads only fields that no longer change, and whether the image is released.
    """

    def __init__(
        self,
        caller: Caller,
        image: Image,
        options: EstimateOptions,
        *,
        hold: Hold | None = None,
        frame_id: int = 1,
        captured_secs: float = 0.0,
        due_at: float | None = None,
        max_age_secs: float | None = None,
        on_settled: Callable[[], object],
        request_id: str = "",
    ) -> None:
        self.caller = caller
        self.frame_id = frame_id
        self.request_id = request_id
        self.due_at = due_at
        self.captured_secs = captured_secs
        self.network_runs = options.network_runs
        self._image: Image | None = image
        self._hold = hold
        self._options = options
        self._max_age_secs = max_age_secs
        self._on_settled = on_settled
        self._accepted_at = monotonic()
        self._outcome: Outcome | None = None

    @property
    def age_secs(self) -> float:
        return monotonic() - self._accepted_at

    @property
    def outcome(self) -> Outcome | None:
        """The outcome; None until it is known."""
        return self._outcome

    def settle(self, outcome: Outcome) -> None:
        """Set the outcome, unless the frame has one or was withdrawn."""
        if self._image is not None:
            self._release_image()
            self._outcome = outcome
            self._on_settled()

    def withdraw(self) -> None:
        """Release the image; the outcome is no longer needed."""
        self._release_image()

    def _release_image(self) -> None:
        self._image = None
        if self._hold is not None:
            self._hold.release()

    def check_is_due(self) -> None:
        """Raise `WithdrawnError` or `TooOldError` if the network should not run this frame."""
        self.check_is_wanted()
        if self._max_age_secs is not None and self.age_secs > self._max_age_secs:
            raise TooOldError

    def check_is_wanted(self) -> None:
        """Raise `WithdrawnError` if the outcome is no longer needed."""
        if self._image is None:
            raise WithdrawnError

    def process(self, model: ServedModel, limits: ImageLimits, gate: NetworkGate) -> Outcome | None:
        """Estimate the poses; None if the frame was withdrawn."""
        image = self._image
        if image is None:
            return None
        waited_secs = self.age_secs
        try:
            self.check_is_due()
            options, turn = self._options, gate.turn(self)
            estimate: Estimate[SerializedPoses] | Estimate[FramePoses]
            if options.for_tracking:
                estimate = model.pipeline.estimate_image(image, options, limits=limits, turn=turn)
            else:
                estimate = model.pipeline.estimate_to_bytes(
                    image, options, limits=limits, turn=turn
                )
            fields = SerializedFields.of(
                estimate, model_version=model.version, waited_secs=waited_secs
            )
        except WithdrawnError:
            return None
        except TooOldError:
            return Skipped(stream_pb2.SKIP_REASON_TOO_OLD)
        except Exception as error:  # noqa: BLE001 - as_request_error logs unexpected errors
            return Failed(as_request_error(error, request_id=self.request_id))
        return Processed(estimate, waited_secs, fields)


class TooOldError(Exception):
    """A frame that has waited longer than its maximum age."""
