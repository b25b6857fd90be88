"""Weights for published networks whose topology (.xml) alone is available.

All are 0 but those by which the graph computes shapes; they follow from the shapes that the
topology declares for the size it was exported with.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

_SHAPE_ARITHMETIC = ("Const", "Convert", "Concat", "Unsqueeze", "Floor", "Multiply")
_HEIGHT_AXIS, _WIDTH_AXIS = 2, 3


def weights_for(topology: Path) -> bytes:
    """Return the content of the .bin file."""
    return bytes(_Weights(topology).filled())


class _Weights:
    def __init__(self, topology: Path) -> None:
        root = ElementTree.parse(topology).getroot()
        self.layers = {each.attrib["id"]: each for each in root.iterfind("layers/layer")}
        self.inputs: dict[str, dict[int, str]] = {name: {} for name in self.layers}
        for edge in root.iterfind("edges/edge"):
            ports = self.inputs[edge.attrib["to-layer"]]
            ports[int(edge.attrib["to-port"])] = edge.attrib["from-layer"]
        self.constants = {
            name: _data(each) for name, each in self.layers.items() if each.get("type") == "Const"
        }
        ends = (int(each["offset"]) + int(each["size"]) for each in self.constants.values())
        self.content = bytearray(max(ends))

    def filled(self) -> bytearray:
        axes = cycle((_HEIGHT_AXIS, _WIDTH_AXIS))
        for name, layer in self.layers.items():
            sources = self.inputs[name]
            match layer.get("type"):
                case "Interpolate":
                    self._put_scales(layer, sources[1])
                case "ReduceMean":
                    self._put(sources[1], [_HEIGHT_AXIS, _WIDTH_AXIS])
                case "Unsqueeze":
                    rank = len(_shape(layer, "output/port"))
                    self._put(sources[1], [4 if rank == 5 else 0])
                case "Gather" if self.constants[sources[1]]["shape"] == "2":
                    self._put(sources[1], [_HEIGHT_AXIS, _WIDTH_AXIS])
                case "Gather":
                    self._put(sources[1], [next(axes)])
                case "StridedSlice":
                    self._put_slice(layer, sources)
        return self.content

    def _put_scales(self, layer: Element, sizes: str) -> None:
        grown, given = _shape(layer, "output/port"), _shape(layer, "input/port")
        scales = [after / before for after, before in zip(grown, given, strict=True)]
        for name in (sizes, *self._above(sizes)):
            if self.constants.get(name, {}).get("element_type") == "f32":
                self._put(name, scales if self.constants[name]["shape"] == "4" else scales[2:3])

    def _put_slice(self, layer: Element, sources: dict[int, str]) -> None:
        """Slice the first two numbers of a shape, or the heatmaps or tags of 34 channels."""
        if self.constants[sources[1]]["shape"] == "1":
            bounds = [[0], [2], [1]]
        elif layer.get("name") == "embeddings":
            bounds = [[0, 17], [0, 34], [1, 1]]
        else:
            bounds = [[0, 0], [0, 17], [1, 1]]
        for port, values in enumerate(bounds, start=1):
            self._put(sources[port], values)

    def _above(self, name: str) -> Iterator[str]:
        for source in self.inputs[name].values():
            if self.layers[source].get("type") in _SHAPE_ARITHMETIC:
                yield source
                yield from self._above(source)

    def _put(self, constant: str, values: list[int] | list[float]) -> None:
        data = self.constants[constant]
        dtype = {"f32": np.float32, "i64": np.int64}[data["element_type"]]
        content, offset = np.array(values, dtype).tobytes(), int(data["offset"])
        if len(content) != int(data["size"]):
            raise ValueError(f"layer {constant}: {values} are not {data['size']} bytes")
        self.content[offset : offset + len(content)] = content


def _data(layer: Element) -> dict[str, str]:
    data = layer.find("data")
    return {} if data is None else data.attrib


def _shape(layer: Element, port: str) -> list[int]:
    found = layer.find(port)
    return [] if found is None else [int(each.text or 0) for each in found.iterfind("dim")]
