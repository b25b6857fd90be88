"""Reads and checks networks, and gives all of them the same input format.

A file does not state which pixel values its network expects or whether it suppresses non-maxima. We
assume B, G, R from 0 to 255, and signed heatmaps.
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
    """Read the network in an OpenVINO IR (.xml) or ONNX file and let it take any image.

    Its one input is uint8 (1, H, W, 3), channels B, G, R, H and W dynamic, whatever layout and
    type the file has. The outputs `heatmaps` (1, K, h, w) and `embeddings` (1, K, h, w) or
    (1, K, h, w, L), both float32, are found by name.

    Raises `NetworkError`, which lists all faults, for a file that is not such a network, and
    `OSError` if it cannot be opened.
    """
    model = _read(Path(path))
    _check(path, [*_input_faults(model), *_output_faults(model)])
    _check(path, _resize_faults(model))
    return _take_pixels(model)


def _read(path: Path) -> ov.Model:
    wanted = "want an OpenVINO IR (.xml, its .bin beside it) or ONNX (.onnx)"
    if path.suffix not in (".xml", ".onnx"):
        raise NetworkError(f"{path}: got a file of another kind, {wanted}")
    path.open("rb").close()  # OpenVINO does not report why a file cannot be opened.
    core = ov.Core()
    # Overwriting a mapped file would change the weights of a network in use, or end the process.
    core.set_property({"ENABLE_MMAP": False})
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise NetworkError(f"{path}: {wanted}; {last_line(error)}") from error


def last_line(error: RuntimeError) -> str:
    """Quote OpenVINO's message without the list of its own source files before it."""
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
            f"input {_name(port)}: got {_describe(port)}, "
            "want u8 or f32 of shape [1,3,H,W] or [1,H,W,3]"
        )


def _output_faults(model: ov.Model) -> Iterator[str]:
    ports = {name: _output(model, name) for name in _RANKS}
    for name, port in ports.items():
        if port is None:
            names = ", ".join(_name(each) for each in model.outputs)
            yield f"output {name}: got only {names}"
        elif not _fits(port, _RANKS[name]):
            yield f"output {name}: got {_describe(port)}, want {_describe_wanted(name)}"
    sizes = {name: _size(port) for name, port in ports.items() if _rank(port) >= 4}
    if len(sizes) == 2 and not sizes[HEATMAPS].compatible(sizes[TAGS]):
        yield f"outputs: got sizes {sizes[HEATMAPS]} and {sizes[TAGS]}, want equal ones"


def _resize_faults(model: ov.Model) -> list[str]:
    """Make the input's size dynamic, and list what in the network is fixed to one size."""
    shape = [1, 3, -1, -1] if _layout(model.input()) == "NCHW" else [1, -1, -1, 3]
    try:
        model.reshape(ov.PartialShape(shape))
    except RuntimeError as error:
        return [f"want a network that takes images of any size; {last_line(error)}"]
    fixed = [name for name in _RANKS if _size(model.output(name)).is_static]
    return [
        f"output {name}: got size {_size(model.output(name))} for every image, "
        "want a network whose output grows with its input"
        for name in fixed
    ]


def _take_pixels(model: ov.Model) -> ov.Model:
    layout = _layout(model.input())
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout(layout))
    return steps.build()


def _output(model: ov.Model, name: str) -> ov.Output | None:
    """Find an output by any of its names; exporters add names of their own."""
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


def _describe_wanted(name: str) -> str:
    shapes = {4: f"[1,{len(COCO.names)},h,w]", 5: f"[1,{len(COCO.names)},h,w,L]"}
    return "f32 of shape " + " or ".join(shapes[rank] for rank in _RANKS[name])


def _size(port: ov.Output) -> ov.PartialShape:
    shape = port.get_partial_shape()
    return ov.PartialShape([shape[2], shape[3]])


def _rank(port: ov.Output | None) -> int:
    """Return the number of axes, -1 if it is dynamic or there is no port."""
    if port is None:
        return -1
    rank = port.get_partial_shape().rank
    return int(rank.get_length()) if rank.is_static else -1


def _describe(port: ov.Output) -> str:
    return f"{port.element_type.get_type_name()} {port.get_partial_shape()}"


def _name(port: ov.Output) -> str:
    return min(port.get_names(), default="unnamed")
