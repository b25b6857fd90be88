from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from posewire_server.estimation.runner import OpenVinoRunner
from posewire_server.models.errors import NetworkError
from posewire_server.models.network import read_network
from tests.reference.colour_network import colour_network
from tests.reference.published_topology import weights_for

SHARED = os.environ.get("POSEWIRE_SHARED")
PUBLISHED = sorted(Path(SHARED).glob("external/ir/*.xml")) if SHARED else []
needs_published = pytest.mark.skipif(
    not PUBLISHED, reason="POSEWIRE_SHARED names no folder with external/ir/*.xml"
)

HEATMAPS, TAGS = {"heatmaps"}, {"embeddings"}


def network(
    *,
    shape: Sequence[int] = (1, 3, 64, 64),
    dtype: Any = np.float32,
    channels: int = 17,
    tag_channels: int | None = None,
    tag_stride: int = 2,
    tag_axes: int = 4,
    heatmap_names: set[str] = HEATMAPS,
    tag_names: set[str] = TAGS,
) -> ov.Model:
    """Make a network whose heatmaps and tags are means of 2 x 2 pixels, channel by channel."""
    image = ops.parameter(list(shape), dtype, name="image")
    pixels = ops.convert(image, np.float32)
    if len(shape) == 4 and shape[3] == 3:
        pixels = ops.transpose(pixels, ops.constant([0, 3, 1, 2]))
    heatmaps = _means(pixels, 2, channels)
    tags = _means(pixels, tag_stride, channels if tag_channels is None else tag_channels)
    if tag_axes == 5:
        tags = ops.unsqueeze(tags, ops.constant([4]))
    heatmaps.output(0).set_names(heatmap_names)
    tags.output(0).set_names(tag_names)
    return ov.Model([tags, heatmaps], [image], "small")


def _means(pixels: ov.Node, stride: int, channels: int) -> ov.Node:
    means = ops.avg_pool(pixels, *([stride] * 2, [0, 0], [0, 0], [stride] * 2), True)
    return ops.slice(ops.concat([means] * 12, 1), [0], [channels], [1], [1])


def save(model: ov.Model, folder: Path) -> Path:
    path = folder / "small.xml"
    ov.save_model(model, path, compress_to_fp16=False)
    return path


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 3, 64, 64), np.float32),
        ((1, 3, 64, 64), np.uint8),
        ((-1, 3, -1, -1), np.float32),
        ((1, -1, -1, 3), np.uint8),
        ((1, 64, 64, 3), np.float32),
    ],
    ids=["published", "bytes in planes", "open", "posewire's own", "floats in pixels"],
)
def test_every_network_takes_pixels_of_any_size(
    tmp_path: Path, shape: Sequence[int], dtype: Any
) -> None:
    model = read_network(save(network(shape=shape, dtype=dtype), tmp_path))
    assert model.input().get_names() == {"image"}
    assert model.input().element_type == ov.Type.u8
    assert model.input().get_partial_shape() == ov.PartialShape([1, -1, -1, 3])
    image = np.random.default_rng(0).integers(0, 256, (32, 96, 3), dtype=np.uint8)
    output = OpenVinoRunner(model).run(image)
    means = image.reshape(16, 2, 48, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(output.heatmaps[:3], means.transpose(2, 0, 1), rtol=1e-6)


def test_outputs_are_found_among_several_names_of_a_tensor(tmp_path: Path) -> None:
    names = {"2674", "embeddings"}
    model = read_network(save(network(tag_names=names, tag_axes=5), tmp_path))
    output = OpenVinoRunner(model).run(np.zeros((32, 64, 3), np.uint8))
    assert output.heatmaps.shape == (17, 16, 32)
    assert output.tags.shape == (17, 16, 32, 1)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"shape": (1, 4, 64, 64)}, r"input image: got f32 \[1,4,64,64\], want u8 or f32"),
        ({"dtype": np.int32}, r"input image: got i32 \[1,3,64,64\], want u8 or f32"),
        ({"heatmap_names": {"scores"}}, "output heatmaps: got only embeddings, scores"),
        ({"tag_names": {"a", "b"}}, "output embeddings: got only a, heatmaps"),
        (
            {"channels": 14},
            r"output heatmaps: got f32 \[1,14,32,32\], want f32 of shape \[1,17,h,w\]; "
            r"output embeddings: got f32 \[1,14,32,32\], want .* or \[1,17,h,w,L\]",
        ),
        ({"tag_channels": 34}, r"output embeddings: got f32 \[1,34,32,32\]"),
        ({"tag_stride": 4}, r"outputs: got sizes \[32,32\] and \[16,16\], want equal ones"),
    ],
    ids=lambda each: "" if isinstance(each, str) else next(iter(each)),
)
def test_a_fault_of_a_network_is_reported(
    tmp_path: Path, options: dict[str, Any], complaint: str
) -> None:
    path = save(network(**options), tmp_path)
    with pytest.raises(NetworkError, match=f"^{path}: {complaint}"):
        read_network(path)


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    path = save(network(dtype=np.int32, channels=14, tag_names={"x"}), tmp_path)
    with pytest.raises(NetworkError) as raised:
        read_network(path)
    for name in ("input image", "output heatmaps", "output embeddings"):
        assert f"{name}: got" in str(raised.value)


def test_a_second_input_is_refused(tmp_path: Path) -> None:
    model = network()
    second = ops.parameter([1], np.float32, name="threshold")
    second.output(0).set_names({"threshold"})
    model.add_parameters([second])
    with pytest.raises(NetworkError, match=r"inputs: got 2 \(.*threshold.*\), want 1"):
        read_network(save(model, tmp_path))


def test_a_network_of_one_size_is_refused(tmp_path: Path) -> None:
    image = ops.parameter([1, 3, 64, 64], np.float32, name="image")
    flat = ops.reshape(image, ops.constant([1, 3 * 64 * 64]), special_zero=False)
    planes = ops.reshape(flat, ops.constant([1, 3, 64, 64]), special_zero=False)
    heatmaps, tags = _means(planes, 2, 17), _means(planes, 2, 17)
    heatmaps.output(0).set_names(HEATMAPS)
    tags.output(0).set_names(TAGS)
    model = ov.Model([heatmaps, tags], [image], "stuck")
    with pytest.raises(NetworkError, match=r"output heatmaps: got size .* for every image"):
        read_network(save(model, tmp_path))


@pytest.mark.parametrize("name", ["net.xml", "net.pth"])
def test_files_that_are_not_networks_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("hello")
    with pytest.raises(NetworkError, match=f"{path}: .*want an OpenVINO IR .* or ONNX"):
        read_network(path)


def test_a_topology_without_its_weights_is_refused(tmp_path: Path) -> None:
    path = save(colour_network(), tmp_path)
    path.with_suffix(".bin").unlink()
    with pytest.raises(NetworkError, match=r"its .bin beside it"):
        read_network(path)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_network(tmp_path / "net.xml")


@needs_published
@pytest.mark.parametrize("topology", PUBLISHED, ids=lambda path: path.stem)
def test_published_topologies_are_read_and_run_at_any_size(tmp_path: Path, topology: Path) -> None:
    path = tmp_path / topology.name
    shutil.copyfile(topology, path)
    path.with_suffix(".bin").write_bytes(weights_for(topology))
    runner = OpenVinoRunner(read_network(path))
    for height, width in [(64, 96), (128, 64)]:
        output = runner.run(np.zeros((height, width, 3), np.uint8))
        assert output.heatmaps.shape == (17, height // 2, width // 2)
        assert output.tags.shape[:3] == output.heatmaps.shape


def test_the_file_of_a_network_in_use_may_be_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "colours.xml"
    ov.save_model(colour_network(), path, compress_to_fp16=False)
    network = read_network(path)
    mapped = Path("/proc/self/maps").read_text().splitlines()
    assert not [line for line in mapped if line.endswith(str(path.with_suffix(".bin")))]
    del network
