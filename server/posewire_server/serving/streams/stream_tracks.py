"""The tracks of one stream, in the order of its frames, and its resume tokens."""

from __future__ import annotations

import logging
from time import monotonic

from posewire.v1 import stream_pb2
from posewire_decoder import SerializedPoses, serialize_poses
from posewire_server.estimation.following import Follower
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.pipeline import Estimate
from posewire_server.serving.frames.frame_in_flight import Processed
from posewire_server.serving.frames.served_model import ServedModel
from posewire_server.serving.streams.resume_key import ResumeKey
from posewire_server.serving.streams.session_config import SessionConfig

_LOG = logging.getLogger(__name__)

# A crashed server loses at most this time of the tracks' motion, but never an id: an outcome with a
# new one always has a token.
_TOKEN_SECS = 1.0
# About 300 bytes each: 20 KB a token.
_MAX_SAVED_TRACKS = 64


class StreamTracks:
    """Follows people from outcome to outcome; belongs to the session's event loop.

    `model`: its name. `token`: what the client sent to resume a stream; empty if it is new.
    """

    def __init__(self, follower: Follower, key: ResumeKey, *, model: str, token: bytes) -> None:
        self.estimate_options = follower.estimate_options
        self._follower = follower
        self._key = key
        self._model = model
        self._saved_at = monotonic()
        self._saved_id = 0
        self._has_news = False
        self.is_resumed = self._resume(token)
        """Whether ids go on from the token."""

    def follow(self, captured_secs: float, processed: Processed) -> Processed:
        """Return the next processed frame with its poses serialized, with track ids."""
        estimate = processed.estimate
        found = estimate.poses
        assert isinstance(found, FramePoses), "the options of its frames are for tracking"
        poses = self._follower.follow(captured_secs, found, estimate.colours)
        self._has_news = True
        data = serialize_poses(
            poses.keypoints,
            poses.keypoint_scores,
            poses.origins,
            poses.scores,
            track_ids=poses.track_ids,
        )
        serialized = SerializedPoses(data, len(poses))
        tracked = Estimate(serialized, estimate.times, estimate.frame)
        return Processed(tracked, processed.waited_secs, processed.fields)

    def due_token(self, *, is_draining: bool) -> bytes:
        """Return the token for the next outcome; empty if the client's newest one will do."""
        if not self._has_news:
            return b""
        is_old = monotonic() - self._saved_at >= _TOKEN_SECS
        if is_draining or is_old or self._follower.newest_id > self._saved_id:
            return self.token()
        return b""

    def token(self) -> bytes:
        """Return the token of the tracks as they are now."""
        self._saved_at = monotonic()
        self._saved_id = self._follower.newest_id
        self._has_news = False
        return self._key.seal(self._model, self._follower.save(max_tracks=_MAX_SAVED_TRACKS))

    def _resume(self, token: bytes) -> bool:
        if not token:
            return False
        state = self._key.open(self._model, token)
        if state is None:
            _LOG.info("a resume token is of another key or model; track ids begin at 1")
            return False
        try:
            self._follower.restore(state)
        except ValueError as error:  # of another version of the server
            _LOG.info("a resume token cannot be used: %s; track ids begin at 1", error)
            return False
        return True


def open_tracks(model: ServedModel, config: SessionConfig, key: ResumeKey) -> StreamTracks | None:
    """Return the tracks of a stream; None if its config asks for none."""
    if not config.track:
        return None
    follower = Follower(
        config.options,
        min_pose_score=model.options.min_pose_score,
        smoothing=config.smoothing,
        skeleton=model.pipeline.skeleton,
    )
    return StreamTracks(follower, key, model=model.name, token=config.resume_token)


def captured_secs(frame: stream_pb2.Frame, *, read_at: float) -> float:
    """Return the capture time of a frame, or when it was read."""
    if not frame.HasField("capture_time"):
        return read_at
    return float(frame.capture_time.seconds) + frame.capture_time.nanos / 1e9
