import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from posewire.v1 import pose_pb2 as _pose_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EstimateOptions(_message.Message):
    __slots__ = ("max_poses", "min_pose_score", "min_keypoint_score", "region_of_interest", "refine", "flip_test")
    MAX_POSES_FIELD_NUMBER: _ClassVar[int]
    MIN_POSE_SCORE_FIELD_NUMBER: _ClassVar[int]
    MIN_KEYPOINT_SCORE_FIELD_NUMBER: _ClassVar[int]
    REGION_OF_INTEREST_FIELD_NUMBER: _ClassVar[int]
    REFINE_FIELD_NUMBER: _ClassVar[int]
    FLIP_TEST_FIELD_NUMBER: _ClassVar[int]
    max_poses: int
    min_pose_score: float
    min_keypoint_score: float
    region_of_interest: _pose_pb2.Box
    refine: bool
    flip_test: bool
    def __init__(self, max_poses: _Optional[int] = ..., min_pose_score: _Optional[float] = ..., min_keypoint_score: _Optional[float] = ..., region_of_interest: _Optional[_Union[_pose_pb2.Box, _Mapping]] = ..., refine: bool = ..., flip_test: bool = ...) -> None: ...

class StageTimes(_message.Message):
    __slots__ = ("image_decode_duration", "queue_duration", "letterbox_duration", "inference_duration", "grouping_duration", "total_duration")
    IMAGE_DECODE_DURATION_FIELD_NUMBER: _ClassVar[int]
    QUEUE_DURATION_FIELD_NUMBER: _ClassVar[int]
    LETTERBOX_DURATION_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_DURATION_FIELD_NUMBER: _ClassVar[int]
    GROUPING_DURATION_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DURATION_FIELD_NUMBER: _ClassVar[int]
    image_decode_duration: _duration_pb2.Duration
    queue_duration: _duration_pb2.Duration
    letterbox_duration: _duration_pb2.Duration
    inference_duration: _duration_pb2.Duration
    grouping_duration: _duration_pb2.Duration
    total_duration: _duration_pb2.Duration
    def __init__(self, image_decode_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., letterbox_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., inference_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., grouping_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
