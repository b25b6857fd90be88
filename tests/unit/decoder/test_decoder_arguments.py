"""Whatever does not fit is refused, by name, with what came and what is wanted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import Decoder, DecoderOptions, ReferenceDecoder, ReferenceOptions

K, H, W = 17, 8, 9
NAN, INFINITY = float("nan"), float("inf")

Array = NDArray[Any]


def maps() -> NDArray[np.float32]:
    return np.zeros((K, H, W), np.float32)


def every_other_column(array: Array) -> Array:
    return np.repeat(array, 2, axis=2)[:, :, ::2]


def transposed_memory(array: Array) -> Array:
    return np.ascontiguousarray(array.T).T


def off_by_a_byte(array: Array) -> Array:
    memory = np.zeros(array.nbytes + 1, np.uint8)
    return memory[1:].view(np.float32).reshape(array.shape)


NOT_FLOAT32_ARRAYS: dict[str, tuple[Callable[[Array], object], str]] = {
    "None": (lambda _: None, "NoneType"),
    "list": (lambda array: array.tolist(), "list"),
    "memoryview": (lambda array: memoryview(array), "memoryview"),
    "scalar": (lambda array: array[0, 0, 0], "float32"),
    "float64": (lambda array: array.astype(np.float64), "dtype float64"),
    "float16": (lambda array: array.astype(np.float16), "dtype float16"),
    "integers": (lambda array: array.astype(np.int32), "dtype int32"),
    "booleans": (lambda array: array.astype(np.bool_), "dtype bool"),
    "complex": (lambda array: array.astype(np.complex64), "dtype complex64"),
    "objects": (lambda array: array.astype(np.object_), "dtype object"),
    "other byte order": (
        lambda array: array.astype(np.dtype(np.float32).newbyteorder()),
        f"dtype {np.dtype(np.float32).newbyteorder().str}",
    ),
}


def for_either_argument(cases: dict[str, Any]) -> list[Any]:
    return [
        pytest.param(argument, *case, id=f"{argument}: {name}")
        for argument in ("heatmaps", "tags")
        for name, case in cases.items()
    ]


def decode(**arrays: object) -> None:
    """With good maps for the argument that is not given."""
    Decoder().decode(**{"heatmaps": maps(), "tags": maps(), **arrays})  # type: ignore[arg-type]


@pytest.mark.parametrize(("argument", "spoil", "came"), for_either_argument(NOT_FLOAT32_ARRAYS))
def test_anything_but_a_float32_array_is_a_type_error(
    argument: str, spoil: Callable[[Array], object], came: str
) -> None:
    message = f"{argument}: got {came}, want .*float32"
    with pytest.raises(TypeError, match=f"^{message}"):
        decode(**{argument: spoil(maps())})


NOT_CONTIGUOUS = "strides .* want C-contiguous"
WRONG_MEMORY: dict[str, tuple[Callable[[Array], Array], str]] = {
    "transposed": (transposed_memory, NOT_CONTIGUOUS),
    "Fortran order": (np.asfortranarray, NOT_CONTIGUOUS),
    "every other column": (every_other_column, NOT_CONTIGUOUS),
    "upside down": (lambda array: array[:, ::-1], NOT_CONTIGUOUS),
    "broadcast": (lambda array: np.broadcast_to(array[:1], array.shape), NOT_CONTIGUOUS),
    "unaligned": (off_by_a_byte, "memory .*not aligned.* want aligned"),
}


@pytest.mark.parametrize(("argument", "spoil", "wrong"), for_either_argument(WRONG_MEMORY))
def test_a_memory_layout_that_would_need_a_copy_is_a_value_error(
    argument: str, spoil: Callable[[Array], Array], wrong: str
) -> None:
    spoilt = spoil(maps())
    assert spoilt.shape == (K, H, W)
    assert spoilt.dtype == np.float32
    with pytest.raises(ValueError, match=f"^{argument}: got {wrong}"):
        decode(**{argument: spoilt})


@pytest.mark.parametrize(
    "shape", [(), (W,), (H, W), (2, K, H, W), (0, K, H, W), (1, 1, K, H, W), (K, H, W, 1, 1)]
)
def test_heatmaps_of_another_rank_or_batch_are_a_value_error(shape: tuple[int, ...]) -> None:
    message = re.escape(f"heatmaps: got shape {shape}, want (K, H, W) or (1, K, H, W)")
    with pytest.raises(ValueError, match=f"^{message}"):
        decode(heatmaps=np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    "shape",
    [
        (),
        (H, W),
        (0, K, H, W, 1),
        (2, K, H, W, 1),
        (K, H, W, 1, 1),
        (1, K, H, W, 1, 1),
    ],
)
def test_tags_of_another_rank_or_batch_are_a_value_error(shape: tuple[int, ...]) -> None:
    message = re.escape(f"tags: got shape {shape}, want (K, H, W) or (K, H, W, L), with or without")
    with pytest.raises(ValueError, match=f"^{message}"):
        decode(tags=np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("shape", "got"),
    [
        ((K - 1, H, W), (K - 1, H, W, 1)),
        ((K, W, H), (K, W, H, 1)),
        ((K, H + 1, W), (K, H + 1, W, 1)),
        ((K, H, W - 1), (K, H, W - 1, 1)),
        ((K, 0, W), (K, 0, W, 1)),
        ((2, K, H, W), (2, K, H, W)),
        ((0, K, H, W), (0, K, H, W)),
        ((1, 1, K, H, W), (1, K, H, W)),
        ((H, W, K), (H, W, K, 1)),
        ((1, K, H - 1, W, 2), (K, H - 1, W, 2)),
    ],
)
def test_tags_of_another_shape_than_the_heatmaps_are_a_value_error(
    shape: tuple[int, ...], got: tuple[int, ...]
) -> None:
    message = re.escape(f"tags: got {got}, want the shape of heatmaps, ({K}, {H}, {W}), and")
    with pytest.raises(ValueError, match=f"^{message}"):
        decode(tags=np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(K, H, W, 0), (1, K, H, W, 0)])
def test_tags_without_a_component_are_a_value_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^tags: got .*0.*, want at least one component"):
        decode(tags=np.zeros(shape, np.float32))


@pytest.mark.parametrize("shape", [(K, 0, W), (K, H, 0), (K, 0, 0), (1, K, 0, W)])
def test_maps_without_a_cell_are_a_value_error(shape: tuple[int, ...]) -> None:
    empty = np.zeros(shape, np.float32)
    message = re.escape(f"heatmaps: got {shape[-3:]}, want at least one cell")
    with pytest.raises(ValueError, match=f"^{message}"):
        decode(heatmaps=empty, tags=empty)


@pytest.mark.parametrize("keypoints", [0, 1, K - 1, K + 1])
def test_another_number_of_keypoints_than_is_grouped_is_a_value_error(keypoints: int) -> None:
    others = np.zeros((keypoints, H, W), np.float32)
    message = re.escape(f"heatmaps: got {others.shape}, want {K} keypoints")
    with pytest.raises(ValueError, match=f"^{message}.*grouping_order"):
        decode(heatmaps=others, tags=others)


def out_of_range(name: str, wanted: str, *values: object) -> list[tuple[str, object, str]]:
    return [(name, value, wanted) for value in values]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        *out_of_range("detection_threshold", "at least 0", NAN, -0.1, INFINITY, -INFINITY),
        *out_of_range("refine_threshold", "at least 0", NAN, -0.1, INFINITY, -INFINITY),
        *out_of_range("tag_threshold", "above 0", NAN, -0.1, 0, INFINITY),
        *out_of_range("max_peaks", "at least 1", 0, -1),
        *out_of_range("nms", "'graph' or 'decoder'", "network", "", "Graph"),
        *out_of_range("adjust", "'parabola' or 'quarter'", "cubic", "Quarter"),
    ],
)
def test_an_option_out_of_range_is_a_value_error(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: got {value!r}, want .*{wanted}"):
        Decoder(DecoderOptions(**{name: value}))


@pytest.mark.parametrize(
    ("delta", "axis"),
    [((NAN, 0.5), "x"), ((0.5, NAN), "y"), ((INFINITY, 0), "x"), ((0, -INFINITY), "y")],
)
def test_a_delta_that_is_not_finite_is_a_value_error(delta: tuple[float, float], axis: str) -> None:
    with pytest.raises(ValueError, match=f"^delta {axis}: got -?(nan|inf), want a finite number"):
        Decoder(DecoderOptions(delta=delta))


@pytest.mark.parametrize("order", [(0, 0), (0, 1, 1), (1, 2), (0, 2), (-1, 0), ()])
def test_a_grouping_order_that_is_no_permutation_is_a_value_error(order: tuple[int, ...]) -> None:
    came = re.escape("(" + ", ".join(map(str, order)) + ")")
    with pytest.raises(ValueError, match=f"^grouping_order: got {came}, want every .* once"):
        Decoder(DecoderOptions(grouping_order=order))


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        *out_of_range("max_poses", "at least 1", 0, -1),
        *out_of_range("min_pose_score", r"in \[0, 1\]", NAN, -0.1, 2, INFINITY),
        *out_of_range("min_keypoint_score", r"in \[0, 1\]", NAN, -0.1, 2, INFINITY),
    ],
)
def test_a_call_option_out_of_range_is_a_value_error(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: got {value}, want .*{wanted}"):
        Decoder().decode(maps(), maps(), **{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("detection_threshold", "high"),
        ("detection_threshold", None),
        ("tag_threshold", (1.0,)),
        ("max_peaks", 1.5),
        ("max_peaks", "30"),
        ("delta", 0.5),
        ("delta", (0.5,)),
        ("nms", None),
        ("adjust", 3),
        ("grouping_order", 17),
        ("grouping_order", (0.0, 1.0)),
    ],
)
def test_an_option_of_another_type_is_a_type_error(name: str, value: Any) -> None:
    with pytest.raises(TypeError):
        Decoder(DecoderOptions(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_poses", 1.5),
        ("max_poses", "all"),
        ("min_pose_score", None),
        ("min_keypoint_score", "low"),
        ("refine", "no"),
    ],
)
def test_a_call_option_of_another_type_is_a_type_error(name: str, value: Any) -> None:
    with pytest.raises(TypeError):
        Decoder().decode(maps(), maps(), **{name: value})


def test_a_decoder_survives_what_it_refuses() -> None:
    decoder = Decoder()
    with pytest.raises(ValueError, match=r"^max_poses"):
        decoder.decode(maps(), maps(), max_poses=0)
    with pytest.raises(TypeError, match=r"^tags"):
        decoder.decode(maps(), None)  # type: ignore[arg-type]
    assert len(decoder.decode(maps(), maps())) == 0


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ({"detection_threshold": 0, "refine_threshold": 0}, {}),
        ({"detection_threshold": 1.5}, {}),
        ({"max_peaks": 1}, {"max_poses": 1}),
        ({"delta": (-3.0, 1e6)}, {}),
        ({}, {"min_pose_score": 0, "min_keypoint_score": 1}),
        ({}, {"min_pose_score": np.float32(0.5), "max_poses": np.int64(3)}),
        ({"tag_threshold": 1e-6, "adjust": "quarter", "nms": "decoder"}, {"refine": False}),
    ],
)
def test_the_ends_of_every_range_are_taken(options: dict[str, Any], call: dict[str, Any]) -> None:
    assert len(Decoder(DecoderOptions(**options)).decode(maps(), maps(), **call)) == 0


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"max_peaks": 1.5}, "max_peaks: got 1.5, want an integer"),
        ({"max_peaks": True}, "max_peaks: got True, want an integer"),
        ({"tag_threshold": "1"}, "tag_threshold: got '1', want a number"),
        ({"delta": 0.5}, "delta: got 0.5, want a pair (x, y)"),
        ({"delta": (0.5, None)}, "delta y: got None, want a number"),
        ({"nms": None}, "nms: got None, want a string"),
        ({"grouping_order": 17}, "grouping_order: got 17, want a sequence of integers"),
        ({"grouping_order": (0, "1")}, "grouping_order: got '1', want an integer"),
    ],
)
def test_an_option_of_a_wrong_type_is_named(option: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        Decoder(DecoderOptions(**option))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"max_poses": 1.5}, "max_poses: got 1.5, want an integer"),
        ({"min_pose_score": None}, "min_pose_score: got None, want a number"),
        ({"refine": "no"}, "refine: got 'no', want True or False"),
    ],
)
def test_a_call_option_of_a_wrong_type_is_named(call: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        decode(**call)


def test_options_must_be_those_of_the_decoder() -> None:
    with pytest.raises(TypeError, match=r"^options: got dict, want DecoderOptions$"):
        Decoder({})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^options: got DecoderOptions, want ReferenceOptions$"):
        ReferenceDecoder(DecoderOptions())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"tag_threshold": NAN}, ValueError, "tag_threshold: got nan, want a number above 0"),
        ({"max_peaks": 0}, ValueError, "max_peaks: got 0, want at least 1"),
        ({"nms": "network"}, ValueError, "nms: got 'network', want 'graph' or 'decoder'"),
        ({"max_peaks": 1.5}, TypeError, "max_peaks: got 1.5, want an integer"),
        ({"delta": (0.5, None)}, TypeError, "delta y: got None, want a number"),
    ],
)
def test_the_reference_checks_its_options_too(
    option: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        ReferenceDecoder(ReferenceOptions(**option))


def test_an_empty_adjust_is_not_the_default() -> None:
    with pytest.raises(ValueError, match=r"^adjust: got '', want 'parabola' or 'quarter'$"):
        Decoder(DecoderOptions(adjust=""))  # type: ignore[arg-type]


def test_a_limit_beyond_32_bits_is_no_limit() -> None:
    heatmaps = maps()
    heatmaps[0, 2, 2] = heatmaps[0, 2, 6] = 0.8
    decoder = Decoder(DecoderOptions(max_peaks=2**40))
    assert len(decoder.decode(heatmaps, maps(), max_poses=2**40)) == 2


def test_heatmaps_are_refused_before_tags_are_compared_with_them() -> None:
    with pytest.raises(ValueError, match=r"^heatmaps: got \(16, 8, 9\), want 17 keypoints"):
        decode(heatmaps=np.zeros((16, H, W), np.float32))
    with pytest.raises(ValueError, match=r"^heatmaps: got \(17, 0, 9\), want at least one cell"):
        decode(heatmaps=np.zeros((K, 0, W), np.float32))
