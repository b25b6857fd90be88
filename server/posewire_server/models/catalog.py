"""The models that posewire knows by name.

Sizes and checksums are from the model.yml files of Open Model Zoo.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from posewire_server.geometry import InputGeometry
from posewire_server.models.catalog_entry import (
    PRECISIONS,
    Bundled,
    CatalogEntry,
    Converted,
    Prebuilt,
    Precision,
    PublishedAccuracy,
    RemoteFile,
    UserSupplied,
)

_STORAGE = "https://storage.openvinotoolkit.org/repositories/open_model_zoo"
_OMZ = "https://github.com/openvinotoolkit/open_model_zoo/tree/master/models"
_HIGHER_HRNET = "https://github.com/HRNet/HigherHRNet-Human-Pose-Estimation"
_SINGLE_PASS = "COCO val2017, single pass"

_DEMO = CatalogEntry(
    name="demo",
    summary="Small bundled network, for trying posewire out",
    licence="Apache-2.0",
    geometry=InputGeometry(size=256, fit="short_side", padding="right_bottom"),
    delta=(0.5, 0.5),
    accuracy=None,
    origin=Bundled(Path(__file__).parent / "bundled", precision="fp16"),
    min_pose_score=0.35,  # from the table in bundled/demo.md
)

_HIGHER_HRNET_W32 = CatalogEntry(
    name="higher-hrnet-w32",
    summary="HigherHRNet-W32, trained at 512",
    licence="MIT",
    geometry=InputGeometry(size=512, fit="short_side", padding="center"),
    delta=(0.5, 0.5),
    accuracy=PublishedAccuracy(
        64.64, _SINGLE_PASS, f"{_OMZ}/public/higher-hrnet-w32-human-pose-estimation"
    ),
    origin=Converted(
        RemoteFile(
            path="pose_higher_hrnet_w32_512.pth",
            address=f"{_STORAGE}/public/2022.1/higher-hrnet-w32-human-pose-estimation/ckpt/"
            "pose_higher_hrnet_w32_512.pth",
            size=115172215,
            sha384="d344fcc4e426308139397bd708be1c59500e038a540ea0979b6a10556b5f3530"
            "701d86c0cab276fc5710419f91879e3d",
        )
    ),
)

_HIGHER_HRNET_W48 = CatalogEntry(
    name="higher-hrnet-w48",
    summary="HigherHRNet-W48, trained at 640; needs your own checkpoint",
    licence="MIT",
    geometry=InputGeometry(size=640, fit="short_side", padding="center"),
    delta=(0.5, 0.5),
    accuracy=PublishedAccuracy(69.9, "COCO val2017, flip test", _HIGHER_HRNET),
    origin=UserSupplied(checkpoint="pose_higher_hrnet_w48_640.pth", page=_HIGHER_HRNET),
)


# The three networks share their weights and differ in their training size.
_HUMAN_POSE_ESTIMATION_BIN: Mapping[Precision, tuple[int, str]] = MappingProxyType(
    {
        "fp32": (
            32601720,
            "5711b763909990db35f20ce3dc82710001d030ea600ae81b8187d908d9f751de"
            "d6dd9bdbbdc2182225dc79cac92ffb1d",
        ),
        "fp16": (
            19039904,
            "ef4ab20cd0695a4b86789607acc6eb636d07fbb6786f30300ea713bb94a9110e"
            "d1ecec5db5577398ddc13663cc2ce690",
        ),
    }
)


def _human_pose_estimation(
    number: str, *, size: int, average_precision: float, xml: Mapping[Precision, tuple[int, str]]
) -> CatalogEntry:
    """`xml`: size and SHA-384 of NAME.xml for each precision."""
    name = f"human-pose-estimation-{number}"
    return CatalogEntry(
        name=name,
        summary=f"EfficientHRNet-like network by Intel, trained at {size}",
        licence="Apache-2.0",
        geometry=InputGeometry(size=size, fit="short_side", padding="right_bottom"),
        delta=(0.0, 0.0),
        accuracy=PublishedAccuracy(average_precision, _SINGLE_PASS, f"{_OMZ}/intel/{name}"),
        origin=Prebuilt(
            MappingProxyType(
                {
                    precision: (
                        _stored(name, precision, "xml", *xml[precision]),
                        _stored(name, precision, "bin", *_HUMAN_POSE_ESTIMATION_BIN[precision]),
                    )
                    for precision in PRECISIONS
                }
            )
        ),
    )


def _stored(model: str, precision: Precision, suffix: str, size: int, sha384: str) -> RemoteFile:
    name = f"{model}.{suffix}"
    address = f"{_STORAGE}/2023.0/models_bin/1/{model}/{precision.upper()}/{name}"
    return RemoteFile(f"{precision}/{name}", address, size, sha384)


_HUMAN_POSE_ESTIMATION_0005 = _human_pose_estimation(
    "0005",
    size=288,
    average_precision=45.6,
    xml={
        "fp32": (
            849150,
            "b0735a220aff32a5c885b0b2e311b8dae21584edf06356246c7ad0634fb8b3a2"
            "ddf488097b5288252025dee487d029f0",
        ),
        "fp16": (
            1063570,
            "37595cec7cb044266eb7cb934fcf596d5b0382b12a03f5462f046a52aba3f9c9"
            "6097377773618ca957d7b6941a12334b",
        ),
    },
)

_HUMAN_POSE_ESTIMATION_0006 = _human_pose_estimation(
    "0006",
    size=352,
    average_precision=51.1,
    xml={
        "fp32": (
            849656,
            "ac3fd1607f5e25e3eda336a55f2e0931473bfca9a81182455018af0df200e3ee"
            "9a95834bafaba784b2f13a96e075340e",
        ),
        "fp16": (
            1064076,
            "567d2f921e5af960384fddc30bfe8d7110d90222dae50ce36a13d6a0ca5113ff"
            "83b9adfe7c505a403d9f46d17285da39",
        ),
    },
)

_HUMAN_POSE_ESTIMATION_0007 = _human_pose_estimation(
    "0007",
    size=448,
    average_precision=54.3,
    xml={
        "fp32": (
            850306,
            "52b32d13c47ce42db642283128b439ee9eadcc68c8bd32e8edcc574c849b3cde"
            "702cf0ee033378b37dd9671e236842ff",
        ),
        "fp16": (
            1064726,
            "5999bb115a5a54faaf452a4b686d0a383a73d93edd929b005d779f9770212694"
            "ba2f271d37c16071d5849cf1bba692ce",
        ),
    },
)

CATALOG: Mapping[str, CatalogEntry] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            _DEMO,
            _HIGHER_HRNET_W32,
            _HIGHER_HRNET_W48,
            _HUMAN_POSE_ESTIMATION_0005,
            _HUMAN_POSE_ESTIMATION_0006,
            _HUMAN_POSE_ESTIMATION_0007,
        )
    }
)
