"""Networks in a file, checked and brought to one form.

Heatmaps and tags of the right shape do not tell how the pixels must come or whether the network
suppresses non-maxima. Taken on trust: pixels are B, G, R from 0 to 255, and heatmaps are signed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import openvino as ov
from openvino.preprocess import PrePostProcessor

from posewire_server.models.errors import NetworkError
from posewire_server.skeleton import COCO

HEATMAPS = "heatmaps"
TAGS = "embeddings"
_RANKS = {HEATMAPS: (4,), TAGS: (4, 5)}
_INPUT_TYPES = (ov.Type.u8, ov.Type.f32)


def read_network(path: str | os.PathLike[str]) -> ov.Model:
    """The network in an OpenVINO IR (.xml) or ONNX file, taking any image.

    Its one input is uint8 (1, H, W, 3), channels B, G, R, H and W left open, whatever layout and
    type the file has. The outputs `heatmaps` (1, K, h, w) and `embeddings` (1, K, h, w) or
    (1, K, h, w, L), both float32, are found by name.

    Raises `NetworkError` for a file that OpenVINO does not read, `NetworkError`,
    which lists everything that is wrong, for another kind of network, and `OSError` if there is no
    such file.
    """
    model = _read(Path(path))
    _check(path, [*_input_faults(model), *_output_faults(model)])
    _check(path, _resize_faults(model))
    return _fed_with_pixels(model)


def _read(path: Path) -> ov.Model:
    wanted = "want an OpenVINO IR (.xml, its .bin beside it) or ONNX (.onnx)"
    if path.suffix not in (".xml", ".onnx"):
        raise NetworkError(f"{path}: got a file of another kind, {wanted}")
    path.open("rb").close()  # OpenVINO's own error does not tell why a file cannot be opened.
    try:
        return ov.Core().read_model(path)
    except RuntimeError as error:
        raise NetworkError(f"{path}: {wanted}; {last_line(error)}") from error


def last_line(error: RuntimeError) -> str:
    """What OpenVINO has to say, without the source files of its own that it lists before."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"OpenVINO says: {lines[-1]}" if lines else "OpenVINO does not say why"


def _check(path: str | os.PathLike[str], faults: list[str]) -> None:
    if faults:
        raise NetworkError(f"{os.fspath(path)}: {'; '.join(faults)}")


def _input_faults(model: ov.Model) -> Iterator[str]:
    if len(model.inputs) != 1:
        names = ", ".join(_name(each) for each in model.inputs)
        yield f"inputs: got {len(model.inputs)} ({names}), want 1"
        return
    port = model.input()
    if _layout(port) is None or port.element_type not in _INPUT_TYPES:
        yield (
            f"input {_name(port)}: got {_described(port)}, "
            "want u8 or f32 of shape [1,3,H,W] or [1,H,W,3]"
        )


def _output_faults(model: ov.Model) -> Iterator[str]:
    ports = {name: _output(model, name) for name in _RANKS}
    for name, port in ports.items():
        if port is None:
            names = ", ".join(_name(each) for each in model.outputs)
            yield f"output {name}: got only {names}"
        elif not _fits(port, _RANKS[name]):
            yield f"output {name}: got {_described(port)}, want {_wanted_output(name)}"
    sizes = {name: _size(port) for name, port in ports.items() if _rank(port) >= 4}
    if len(sizes) == 2 and not sizes[HEATMAPS].compatible(sizes[TAGS]):
        yield f"outputs: got sizes {sizes[HEATMAPS]} and {sizes[TAGS]}, want equal ones"


def _resize_faults(model: ov.Model) -> list[str]:
    """Opens the input to all sizes, and tells if the network does not go along."""
    shape = [1, 3, -1, -1] if _layout(model.input()) == "NCHW" else [1, -1, -1, 3]
    try:
        model.reshape(ov.PartialShape(shape))
    except RuntimeError as error:
        return [f"want a network that takes images of any size; {last_line(error)}"]
    stuck = [name for name in _RANKS if _size(model.output(name)).is_static]
    return [
        f"output {name}: got size {_size(model.output(name))} for every image, "
        "want a network whose output grows with its input"
        for name in stuck
    ]


def _fed_with_pixels(model: ov.Model) -> ov.Model:
    layout = _layout(model.input())
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout(layout))
    return steps.build()


def _output(model: ov.Model, name: str) -> ov.Output | None:
    """By membership, because exporters give a tensor further names of their own."""
    return next((port for port in model.outputs if name in port.get_names()), None)


def _layout(port: ov.Output) -> str | None:
    shape = port.get_partial_shape()
    if _rank(port) != 4:
        return None
    channels = [axis for axis in (1, 3) if shape[axis] == ov.Dimension(3)]
    return {1: "NCHW", 3: "NHWC"}[channels[0]] if channels else None


def _fits(port: ov.Output, ranks: tuple[int, ...]) -> bool:
    if _rank(port) not in ranks or port.element_type != ov.Type.f32:
        return False
    return bool(port.get_partial_shape()[1] == ov.Dimension(len(COCO.names)))


def _wanted_output(name: str) -> str:
    shapes = {4: f"[1,{len(COCO.names)},h,w]", 5: f"[1,{len(COCO.names)},h,w,L]"}
    return "f32 of shape " + " or ".join(shapes[rank] for rank in _RANKS[name])


def _size(port: ov.Output) -> ov.PartialShape:
    shape = port.get_partial_shape()
    return ov.PartialShape([shape[2], shape[3]])


def _rank(port: ov.Output | None) -> int:
    """-1 if it is left open, or there is no port."""
    if port is None:
        return -1
    rank = port.get_partial_shape().rank
    return int(rank.get_length()) if rank.is_static else -1


def _described(port: ov.Output) -> str:
    return f"{port.element_type.get_type_name()} {port.get_partial_shape()}"


def _name(port: ov.Output) -> str:
    return min(port.get_names(), default="without a name")
