"""Messages of the contract as bytes: counting their fields, and writing results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from posewire_decoder import _core

# The fields that are messages, by number, with theirs.
Submessages: TypeAlias = dict[int, "Submessages"]


class MessageKind:
    """A kind of message, by its submessages. Immutable, and safe to share between threads."""

    __slots__ = ("_compiled",)

    def __init__(self, submessages: Submessages) -> None:
        self._compiled = _core.MessageKind(submessages)

    def has_at_most(self, count: int, message: bytes) -> bool:
        """Whether a message has at most that many fields, with those of its submessages.

        False for bytes that are not a message. The time grows with `count` and not with the bytes.
        """
        return self._compiled.has_at_most(count, message)


def serialize_result(poses: bytes, fields: bytes, stage_secs: Sequence[float | None]) -> bytes:
    """Return the first five fields of posewire.v1 FrameResult or EstimatePosesResponse.

    `poses`: as `serialize_poses` returns them. `fields`: those between the poses and the stage
    times, serialized. `stage_secs`: the six of StageTimes in the order of its fields, None for one
    to leave out. The bytes are those that protobuf writes.
    """
    return _core.serialize_result(poses, fields, stage_secs)


def serialize_outcome(
    poses: bytes,
    fields: bytes,
    stage_secs: Sequence[float | None],
    *,
    frame_id: int,
    frames_skipped_before: int,
    resume_token: bytes = b"",
) -> bytes:
    """Return a posewire.v1 StreamPosesResponse with the outcome of a frame that has a result.

    The first three arguments are those of `serialize_result`. An empty token is left out.
    """
    return _core.serialize_outcome(
        poses,
        fields,
        stage_secs,
        frame_id=frame_id,
        frames_skipped_before=frames_skipped_before,
        resume_token=resume_token,
    )
