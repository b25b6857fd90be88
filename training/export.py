"""The trained network as OpenVINO's IR: `python -m training.export --help`."""

from __future__ import annotations

import argparse
from pathlib import Path

import openvino as ov
import torch

from training.network import PoseNetwork, ServedNetwork

_NAME = "demo"


def main() -> None:
    options = _parser().parse_args()
    state = torch.load(options.checkpoint, weights_only=True)
    network = PoseNetwork()
    network.load_state_dict(state["network"])
    model = graph(network)
    for key, value in state["schedule"].items():
        model.set_rt_info(str(value), ["posewire", "training", key])
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{_NAME}.xml"
    ov.save_model(model, path, compress_to_fp16=True)
    print(f"{path}: {_size(path)} bytes of graph, {_size(path.with_suffix('.bin'))} of weights")


def graph(network: PoseNetwork) -> ov.Model:
    """With the inputs and outputs of all of posewire's networks; H and W are left open."""
    served = ServedNetwork(network).eval()
    example = torch.zeros((1, 64, 96, 3), dtype=torch.uint8)
    shape = ov.PartialShape([1, -1, -1, 3])
    with torch.no_grad():
        model = ov.convert_model(served, example_input=example, input=[shape])
    model.input().get_tensor().set_names({"image"})
    for output, name in zip(model.outputs, ("embeddings", "heatmaps"), strict=True):
        output.get_tensor().set_names({name})
    return model


def _size(path: Path) -> int:
    return path.stat().st_size


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.export",
        description="Write demo.xml and demo.bin, weights as float16.",
    )
    parser.add_argument("--checkpoint", type=Path, required=True, help="from training.train")
    parser.add_argument("--out", type=Path, required=True, help="directory of the two files")
    return parser


if __name__ == "__main__":
    main()
