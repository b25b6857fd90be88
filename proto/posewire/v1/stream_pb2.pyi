import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from posewire.v1 import estimate_pb2 as _estimate_pb2
from posewire.v1 import image_pb2 as _image_pb2
from posewire.v1 import model_pb2 as _model_pb2
from posewire.v1 import pose_pb2 as _pose_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DeliveryPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_POLICY_UNSPECIFIED: _ClassVar[DeliveryPolicy]
    DELIVERY_POLICY_IN_ORDER_LOSSLESS: _ClassVar[DeliveryPolicy]
    DELIVERY_POLICY_LATEST: _ClassVar[DeliveryPolicy]

class SkipReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SKIP_REASON_UNSPECIFIED: _ClassVar[SkipReason]
    SKIP_REASON_SUPERSEDED: _ClassVar[SkipReason]
    SKIP_REASON_TOO_OLD: _ClassVar[SkipReason]
    SKIP_REASON_OVERLOADED: _ClassVar[SkipReason]
    SKIP_REASON_DRAINING: _ClassVar[SkipReason]
DELIVERY_POLICY_UNSPECIFIED: DeliveryPolicy
DELIVERY_POLICY_IN_ORDER_LOSSLESS: DeliveryPolicy
DELIVERY_POLICY_LATEST: DeliveryPolicy
SKIP_REASON_UNSPECIFIED: SkipReason
SKIP_REASON_SUPERSEDED: SkipReason
SKIP_REASON_TOO_OLD: SkipReason
SKIP_REASON_OVERLOADED: SkipReason
SKIP_REASON_DRAINING: SkipReason

class StreamConfig(_message.Message):
    __slots__ = ("model", "options", "delivery_policy", "max_frames_in_flight", "max_frame_age", "track", "smoothing", "resume_token", "smoothing_options")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_POLICY_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAMES_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_AGE_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SMOOTHING_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    model: str
    options: _estimate_pb2.EstimateOptions
    delivery_policy: DeliveryPolicy
    max_frames_in_flight: int
    max_frame_age: _duration_pb2.Duration
    track: bool
    smoothing: bool
    resume_token: bytes
    smoothing_options: SmoothingOptions
    def __init__(self, model: _Optional[str] = ..., options: _Optional[_Union[_estimate_pb2.EstimateOptions, _Mapping]] = ..., delivery_policy: _Optional[_Union[DeliveryPolicy, str]] = ..., max_frames_in_flight: _Optional[int] = ..., max_frame_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., track: bool = ..., smoothing: bool = ..., resume_token: _Optional[bytes] = ..., smoothing_options: _Optional[_Union[SmoothingOptions, _Mapping]] = ...) -> None: ...

class SmoothingOptions(_message.Message):
    __slots__ = ("min_cutoff_hz", "cutoff_per_speed", "speed_cutoff_hz", "max_gap")
    MIN_CUTOFF_HZ_FIELD_NUMBER: _ClassVar[int]
    CUTOFF_PER_SPEED_FIELD_NUMBER: _ClassVar[int]
    SPEED_CUTOFF_HZ_FIELD_NUMBER: _ClassVar[int]
    MAX_GAP_FIELD_NUMBER: _ClassVar[int]
    min_cutoff_hz: float
    cutoff_per_speed: float
    speed_cutoff_hz: float
    max_gap: _duration_pb2.Duration
    def __init__(self, min_cutoff_hz: _Optional[float] = ..., cutoff_per_speed: _Optional[float] = ..., speed_cutoff_hz: _Optional[float] = ..., max_gap: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("frame_id", "capture_time", "image")
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    CAPTURE_TIME_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    capture_time: _timestamp_pb2.Timestamp
    image: _image_pb2.Image
    def __init__(self, frame_id: _Optional[int] = ..., capture_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class StreamStarted(_message.Message):
    __slots__ = ("model", "max_frames_in_flight", "max_frame_age", "max_image_bytes", "max_image_pixels", "max_stream_age", "resumed")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAMES_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_AGE_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_AGE_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    model: _model_pb2.Model
    max_frames_in_flight: int
    max_frame_age: _duration_pb2.Duration
    max_image_bytes: int
    max_image_pixels: int
    max_stream_age: _duration_pb2.Duration
    resumed: bool
    def __init__(self, model: _Optional[_Union[_model_pb2.Model, _Mapping]] = ..., max_frames_in_flight: _Optional[int] = ..., max_frame_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_image_bytes: _Optional[int] = ..., max_image_pixels: _Optional[int] = ..., max_stream_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., resumed: bool = ...) -> None: ...

class FrameOutcome(_message.Message):
    __slots__ = ("frame_id", "frames_skipped_before", "result", "error", "skipped", "resume_token")
    FRAME_ID_FIELD_NUMBER: _ClassVar[int]
    FRAMES_SKIPPED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    frame_id: int
    frames_skipped_before: int
    result: FrameResult
    error: FrameError
    skipped: FrameSkipped
    resume_token: bytes
    def __init__(self, frame_id: _Optional[int] = ..., frames_skipped_before: _Optional[int] = ..., result: _Optional[_Union[FrameResult, _Mapping]] = ..., error: _Optional[_Union[FrameError, _Mapping]] = ..., skipped: _Optional[_Union[FrameSkipped, _Mapping]] = ..., resume_token: _Optional[bytes] = ...) -> None: ...

class FrameResult(_message.Message):
    __slots__ = ("poses", "model_version", "image_width", "image_height", "stage_times")
    POSES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STAGE_TIMES_FIELD_NUMBER: _ClassVar[int]
    poses: _containers.RepeatedCompositeFieldContainer[_pose_pb2.Pose]
    model_version: str
    image_width: int
    image_height: int
    stage_times: _estimate_pb2.StageTimes
    def __init__(self, poses: _Optional[_Iterable[_Union[_pose_pb2.Pose, _Mapping]]] = ..., model_version: _Optional[str] = ..., image_width: _Optional[int] = ..., image_height: _Optional[int] = ..., stage_times: _Optional[_Union[_estimate_pb2.StageTimes, _Mapping]] = ...) -> None: ...

class FrameError(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: _status_pb2.Status
    def __init__(self, status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class FrameSkipped(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: SkipReason
    def __init__(self, reason: _Optional[_Union[SkipReason, str]] = ...) -> None: ...

class StreamDraining(_message.Message):
    __slots__ = ("resume_token",)
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    resume_token: bytes
    def __init__(self, resume_token: _Optional[bytes] = ...) -> None: ...
