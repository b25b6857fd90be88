from posewire.v1 import estimate_pb2 as _estimate_pb2
from posewire.v1 import image_pb2 as _image_pb2
from posewire.v1 import model_pb2 as _model_pb2
from posewire.v1 import pose_pb2 as _pose_pb2
from posewire.v1 import stream_pb2 as _stream_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "default_model")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_MODEL_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[_model_pb2.Model]
    default_model: str
    def __init__(self, models: _Optional[_Iterable[_Union[_model_pb2.Model, _Mapping]]] = ..., default_model: _Optional[str] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: str
    def __init__(self, model: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: _model_pb2.Model
    def __init__(self, model: _Optional[_Union[_model_pb2.Model, _Mapping]] = ...) -> None: ...

class EstimatePosesRequest(_message.Message):
    __slots__ = ("model", "options", "image")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    model: str
    options: _estimate_pb2.EstimateOptions
    image: _image_pb2.Image
    def __init__(self, model: _Optional[str] = ..., options: _Optional[_Union[_estimate_pb2.EstimateOptions, _Mapping]] = ..., image: _Optional[_Union[_image_pb2.Image, _Mapping]] = ...) -> None: ...

class EstimatePosesResponse(_message.Message):
    __slots__ = ("poses", "model_version", "image_width", "image_height", "stage_times", "model")
    POSES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STAGE_TIMES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    poses: _containers.RepeatedCompositeFieldContainer[_pose_pb2.Pose]
    model_version: str
    image_width: int
    image_height: int
    stage_times: _estimate_pb2.StageTimes
    model: str
    def __init__(self, poses: _Optional[_Iterable[_Union[_pose_pb2.Pose, _Mapping]]] = ..., model_version: _Optional[str] = ..., image_width: _Optional[int] = ..., image_height: _Optional[int] = ..., stage_times: _Optional[_Union[_estimate_pb2.StageTimes, _Mapping]] = ..., model: _Optional[str] = ...) -> None: ...

class StreamPosesRequest(_message.Message):
    __slots__ = ("config", "frame")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    config: _stream_pb2.StreamConfig
    frame: _stream_pb2.Frame
    def __init__(self, config: _Optional[_Union[_stream_pb2.StreamConfig, _Mapping]] = ..., frame: _Optional[_Union[_stream_pb2.Frame, _Mapping]] = ...) -> None: ...

class StreamPosesResponse(_message.Message):
    __slots__ = ("started", "outcome", "draining")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    started: _stream_pb2.StreamStarted
    outcome: _stream_pb2.FrameOutcome
    draining: _stream_pb2.StreamDraining
    def __init__(self, started: _Optional[_Union[_stream_pb2.StreamStarted, _Mapping]] = ..., outcome: _Optional[_Union[_stream_pb2.FrameOutcome, _Mapping]] = ..., draining: _Optional[_Union[_stream_pb2.StreamDraining, _Mapping]] = ...) -> None: ...
