"""Results put together from bytes are those that protobuf writes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from posewire.v1 import pose_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesResponse, StreamPosesResponse
from posewire_server.estimation.pipeline import Estimate, StageTimes
from posewire_server.geometry import Size
from posewire_server.serving.frames.answer import SerializedFields, to_duration

secs = st.one_of(st.just(0.0), st.floats(-1e-9, 1e5))
POSE = pose_pb2.Pose(score=0.5, keypoints=[pose_pb2.Keypoint(x=1, origin=1)] * 17)


@given(
    times=st.builds(
        StageTimes,
        letterbox_secs=secs,
        inference_secs=secs,
        grouping_secs=secs,
        image_decode_secs=st.one_of(st.none(), secs),
        queue_secs=secs,
    ),
    waited_secs=secs,
    total_secs=secs,
    people=st.sampled_from([0, 1, 60]),
    frame_id=st.integers(1, 2**64 - 1),
    version=st.text(max_size=200),
    skipped=st.integers(0, 2**64 - 1),
    token=st.sampled_from([b"", b"x", bytes(20_000)]),
)
def test_an_outcome_is_the_message_that_its_fields_make(
    times: StageTimes,
    waited_secs: float,
    total_secs: float,
    people: int,
    frame_id: int,
    version: str,
    skipped: int,
    token: bytes,
) -> None:
    poses = stream_pb2.FrameResult(poses=[POSE] * people)
    estimate: Estimate[Any] = Estimate(None, times, Size(640, 480))
    fields = SerializedFields.of(estimate, model_version=version, waited_secs=waited_secs)
    data = poses.SerializeToString()
    response = fields.outcome(
        data,
        total_secs=total_secs,
        frame_id=frame_id,
        frames_skipped_before=skipped,
        resume_token=token,
    )

    outcome = stream_pb2.FrameOutcome(
        frame_id=frame_id, frames_skipped_before=skipped, resume_token=token
    )
    wanted = outcome.result
    wanted.poses.extend(poses.poses)
    wanted.model_version, wanted.image_width, wanted.image_height = version, 640, 480
    stages = wanted.stage_times
    if times.image_decode_secs is not None:
        stages.image_decode_duration.CopyFrom(to_duration(times.image_decode_secs))
    stages.queue_duration.CopyFrom(to_duration(waited_secs + times.queue_secs))
    stages.letterbox_duration.CopyFrom(to_duration(times.letterbox_secs))
    stages.inference_duration.CopyFrom(to_duration(times.inference_secs))
    stages.grouping_duration.CopyFrom(to_duration(times.grouping_secs))
    stages.total_duration.CopyFrom(to_duration(total_secs))
    assert response == StreamPosesResponse(outcome=outcome).SerializeToString()
    unary = fields.result(data, total_secs=total_secs)
    assert unary == wanted.SerializeToString()
    assert EstimatePosesResponse.FromString(unary).stage_times == stages


@given(secs)
def test_a_duration_has_the_nearest_nanosecond_and_is_not_negative(value: float) -> None:
    assert to_duration(value).ToNanoseconds() == max(0, round(1e9 * value))


def test_the_longest_time_is_bounded() -> None:
    fields = SerializedFields(b"", (None, -1.0, 1e300, float("inf"), None))
    times = stream_pb2.FrameResult.FromString(fields.result(b"", total_secs=1e9)).stage_times
    assert not times.HasField("image_decode_duration")
    assert times.queue_duration.ToNanoseconds() == 0
    assert times.letterbox_duration.ToSeconds() == times.inference_duration.ToSeconds() == 9 * 10**9
    assert times.total_duration.ToSeconds() == 10**9
