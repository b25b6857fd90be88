from posewire.v1 import estimate_pb2 as _estimate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Precision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRECISION_UNSPECIFIED: _ClassVar[Precision]
    PRECISION_FP32: _ClassVar[Precision]
    PRECISION_FP16: _ClassVar[Precision]
    PRECISION_INT8: _ClassVar[Precision]
PRECISION_UNSPECIFIED: Precision
PRECISION_FP32: Precision
PRECISION_FP16: Precision
PRECISION_INT8: Precision

class Model(_message.Message):
    __slots__ = ("name", "version", "precision", "input_sizes", "skeleton", "default_options")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    INPUT_SIZES_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    precision: Precision
    input_sizes: _containers.RepeatedCompositeFieldContainer[InputSize]
    skeleton: Skeleton
    default_options: _estimate_pb2.EstimateOptions
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., precision: _Optional[_Union[Precision, str]] = ..., input_sizes: _Optional[_Iterable[_Union[InputSize, _Mapping]]] = ..., skeleton: _Optional[_Union[Skeleton, _Mapping]] = ..., default_options: _Optional[_Union[_estimate_pb2.EstimateOptions, _Mapping]] = ...) -> None: ...

class InputSize(_message.Message):
    __slots__ = ("width", "height")
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    width: int
    height: int
    def __init__(self, width: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...

class Skeleton(_message.Message):
    __slots__ = ("keypoints", "edges", "flip_pairs")
    KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    FLIP_PAIRS_FIELD_NUMBER: _ClassVar[int]
    keypoints: _containers.RepeatedCompositeFieldContainer[KeypointDefinition]
    edges: _containers.RepeatedCompositeFieldContainer[SkeletonEdge]
    flip_pairs: _containers.RepeatedCompositeFieldContainer[FlipPair]
    def __init__(self, keypoints: _Optional[_Iterable[_Union[KeypointDefinition, _Mapping]]] = ..., edges: _Optional[_Iterable[_Union[SkeletonEdge, _Mapping]]] = ..., flip_pairs: _Optional[_Iterable[_Union[FlipPair, _Mapping]]] = ...) -> None: ...

class KeypointDefinition(_message.Message):
    __slots__ = ("name", "oks_sigma")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OKS_SIGMA_FIELD_NUMBER: _ClassVar[int]
    name: str
    oks_sigma: float
    def __init__(self, name: _Optional[str] = ..., oks_sigma: _Optional[float] = ...) -> None: ...

class SkeletonEdge(_message.Message):
    __slots__ = ("first_keypoint", "second_keypoint")
    FIRST_KEYPOINT_FIELD_NUMBER: _ClassVar[int]
    SECOND_KEYPOINT_FIELD_NUMBER: _ClassVar[int]
    first_keypoint: int
    second_keypoint: int
    def __init__(self, first_keypoint: _Optional[int] = ..., second_keypoint: _Optional[int] = ...) -> None: ...

class FlipPair(_message.Message):
    __slots__ = ("left_keypoint", "right_keypoint")
    LEFT_KEYPOINT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_KEYPOINT_FIELD_NUMBER: _ClassVar[int]
    left_keypoint: int
    right_keypoint: int
    def __init__(self, left_keypoint: _Optional[int] = ..., right_keypoint: _Optional[int] = ...) -> None: ...
