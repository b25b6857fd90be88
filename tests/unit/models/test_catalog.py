from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from posewire_server.geometry import InputGeometry
from posewire_server.models.cache import cache_directory
from posewire_server.models.catalog import CATALOG
from posewire_server.models.catalog_entry import (
    PRECISIONS,
    Bundled,
    CatalogEntry,
    Converted,
    Prebuilt,
    UserSupplied,
)
from posewire_server.models.errors import NotInstalledError, UnknownModelError
from posewire_server.models.installed import installed_model
from tests.reference.small_models import CONTENT, XML, converted_entry, entry, prebuilt_entry

PREBUILT = [name for name, each in CATALOG.items() if isinstance(each.origin, Prebuilt)]


def put(directory: Path, *names: str, content: bytes = b"x") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).write_bytes(content)
    return directory / names[0]


def test_the_catalog_is_read_only_and_keyed_by_name() -> None:
    assert list(CATALOG) == [each.name for each in CATALOG.values()]
    assert list(CATALOG) == [
        "demo",
        "higher-hrnet-w32",
        "higher-hrnet-w48",
        "human-pose-estimation-0005",
        "human-pose-estimation-0006",
        "human-pose-estimation-0007",
    ]
    with pytest.raises(TypeError):
        cast("dict[str, CatalogEntry]", CATALOG)["demo"] = CATALOG["demo"]


@pytest.mark.parametrize("model", CATALOG.values(), ids=CATALOG)
def test_files_have_sizes_checksums_and_addresses(model: CatalogEntry) -> None:
    for precision in PRECISIONS:
        for file in model.files(precision):
            assert re.fullmatch(r"[0-9a-f]{96}", file.sha384)
            assert file.size > 0
            assert file.address.startswith("https://")
            assert file.address.endswith(f"/{file.name}")
    if model.accuracy is not None:
        assert 0 < model.accuracy.average_precision < 100
        assert model.accuracy.source.startswith("https://")


@pytest.mark.parametrize("name", PREBUILT)
def test_a_prebuilt_network_is_an_xml_and_a_bin_named_as_the_model(name: str) -> None:
    for precision in PRECISIONS:
        files = CATALOG[name].files(precision)
        assert [file.path for file in files] == [
            f"{precision}/{name}.xml",
            f"{precision}/{name}.bin",
        ]
        assert all(f"/{name}/{precision.upper()}/" in file.address for file in files)


def test_only_the_shared_weights_have_equal_content() -> None:
    files = {
        file
        for model in CATALOG.values()
        for precision in PRECISIONS
        for file in model.files(precision)
    }
    assert len({file.address for file in files}) == len(files) == 13
    by_content = {(file.size, file.sha384) for file in files}
    assert len(by_content) == len({file.sha384 for file in files}) == 9


def test_geometries_are_those_of_the_published_recipes() -> None:
    assert {
        name: (each.geometry.size, each.geometry.padding, each.delta)
        for name, each in CATALOG.items()
    } == {
        "demo": (256, "right_bottom", (0.5, 0.5)),
        "higher-hrnet-w32": (512, "center", (0.5, 0.5)),
        "higher-hrnet-w48": (640, "center", (0.5, 0.5)),
        "human-pose-estimation-0005": (288, "right_bottom", (0.0, 0.0)),
        "human-pose-estimation-0006": (352, "right_bottom", (0.0, 0.0)),
        "human-pose-estimation-0007": (448, "right_bottom", (0.0, 0.0)),
    }
    assert {each.geometry.fit for each in CATALOG.values()} == {"short_side"}


def test_an_installed_model_is_found_by_its_name(tmp_path: Path) -> None:
    path = put(tmp_path / "higher-hrnet-w48/fp32", "higher-hrnet-w48.xml", "higher-hrnet-w48.bin")
    model = installed_model("higher-hrnet-w48", cache=tmp_path)
    known = CATALOG["higher-hrnet-w48"]
    assert (model.name, model.path, model.entry) == ("higher-hrnet-w48", path, known)
    assert (model.geometry, model.delta) == (known.geometry, known.delta)


def test_fp32_is_preferred_to_fp16(tmp_path: Path) -> None:
    catalog = {"small": converted_entry("http://nowhere")}
    half = put(tmp_path / "small/fp16", "small.xml", "small.bin")
    assert installed_model("small", cache=tmp_path, catalog=catalog).path == half
    full = put(tmp_path / "small/fp32", "small.xml", "small.bin")
    assert installed_model("small", cache=tmp_path, catalog=catalog).path == full


def test_a_bundled_model_needs_no_cache(tmp_path: Path) -> None:
    path = put(tmp_path / "bundled", "tiny.xml", "tiny.bin")
    catalog = {"tiny": entry(Bundled(path.parent, precision="fp16"), name="tiny")}
    assert installed_model("tiny", cache=tmp_path / "none", catalog=catalog).path == path
    path.with_suffix(".bin").unlink()
    with pytest.raises(NotInstalledError, match="part of posewire: install posewire again"):
        installed_model("tiny", cache=tmp_path / "none", catalog=catalog)


@pytest.mark.parametrize("name", ["higher-hrnet-w32", "human-pose-estimation-0007"])
def test_a_missing_model_is_an_error_with_a_command(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotInstalledError, match=f"run: posewire models fetch {name}$") as caught:
        installed_model(name, cache=tmp_path)
    assert str(tmp_path / name / "fp32" / f"{name}.xml") in str(caught.value)


@pytest.mark.parametrize(
    ("xml", "weights"), [(XML, None), (None, CONTENT), (XML, CONTENT[:-1]), (b"", CONTENT)]
)
def test_half_a_network_is_not_installed(
    tmp_path: Path, xml: bytes | None, weights: bytes | None
) -> None:
    for name, content in {"small.xml": xml, "small.bin": weights}.items():
        if content is not None:
            put(tmp_path / "small/fp32", name, content=content)
    catalog = {"small": prebuilt_entry("http://nowhere")}
    with pytest.raises(NotInstalledError, match="missing or incomplete"):
        installed_model("small", cache=tmp_path, catalog=catalog)


@pytest.mark.parametrize("names", [("net.xml", "net.bin"), ("net.onnx",)])
def test_an_unknown_file_has_the_geometry_of_higher_hrnet_w32(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    path = put(tmp_path, *names)
    model = installed_model(str(path))
    assert (model.name, model.path, model.entry) == ("net", path, None)
    assert model.geometry == InputGeometry(512, "short_side", "center")
    assert model.delta == (0.5, 0.5)


def test_a_file_named_like_a_model_has_its_geometry(tmp_path: Path) -> None:
    name = "human-pose-estimation-0005"
    model = installed_model(str(put(tmp_path, f"{name}.xml", f"{name}.bin")))
    assert model.entry is CATALOG[name]
    assert (model.geometry, model.delta) == (CATALOG[name].geometry, (0.0, 0.0))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("higher-hrnet-w23", "did you mean higher-hrnet-w32?"),
        ("Demo", "did you mean demo?"),
        ("human-pose-estimation-5", "did you mean human-pose-estimation-0005?"),
        ("zzz", "neither in the catalog nor a .xml or .onnx file; the catalog has demo, higher"),
        ("", "the catalog has demo"),
        ("/nowhere/net.xml", "/nowhere/net.xml: no such file"),
        ("/nowhere/w48.pth", "run: posewire models convert --checkpoint /nowhere/w48.pth"),
    ],
)
def test_an_unknown_name_lists_the_names(name: str, message: str) -> None:
    with pytest.raises(UnknownModelError, match=re.escape(message)):
        installed_model(name)


def test_an_xml_without_its_weights_is_an_error(tmp_path: Path) -> None:
    path = put(tmp_path, "net.xml")
    with pytest.raises(UnknownModelError, match=re.escape(str(tmp_path / "net.bin"))):
        installed_model(str(path))


def test_the_cache_is_the_argument_else_the_variable_else_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("POSEWIRE_CACHE", raising=False)
    assert cache_directory() == tmp_path / "xdg/posewire"
    monkeypatch.setenv("POSEWIRE_CACHE", "")
    assert cache_directory() == tmp_path / "xdg/posewire"
    monkeypatch.setenv("POSEWIRE_CACHE", str(tmp_path / "named"))
    assert cache_directory() == tmp_path / "named"
    assert cache_directory(tmp_path / "given") == tmp_path / "given"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("POSEWIRE_CACHE", "~/models")
    assert cache_directory() == tmp_path / "models"


def test_each_model_says_where_it_comes_from() -> None:
    kinds = {name: type(each.origin) for name, each in CATALOG.items()}
    assert kinds == {
        "demo": Bundled,
        "higher-hrnet-w32": Converted,
        "higher-hrnet-w48": UserSupplied,
        **dict.fromkeys(PREBUILT, Prebuilt),
    }
    assert len(PREBUILT) == 3


def test_a_models_threshold_is_its_measured_one(tmp_path: Path) -> None:
    file = put(tmp_path, "mine.xml", "mine.bin", "small.xml", "small.bin")
    measured = replace(entry(UserSupplied("small.pth", "https://a.page")), min_pose_score=0.45)
    catalog = {"small": measured}
    small = file.with_name("small.xml")
    assert installed_model(str(file), catalog=catalog).min_pose_score == 0.3
    assert installed_model(str(small), catalog=catalog).min_pose_score == 0.45
    assert installed_model(str(small), catalog={}).min_pose_score == 0.3
    unmeasured = {"small": replace(measured, min_pose_score=None)}
    assert installed_model(str(small), catalog=unmeasured).min_pose_score == 0.3
