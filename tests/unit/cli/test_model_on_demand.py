"""Commands with --model download a model of the catalog when it is first used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import openvino as ov
import pytest

from posewire_cli.command import main, model_on_demand
from posewire_cli.command.configured_models import ConfiguredModels
from posewire_cli.command.model_on_demand import find_or_fetch_model
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.command.serve import ListenOptions
from posewire_server.models.catalog_entry import CatalogEntry, Prebuilt
from posewire_server.models.errors import FetchError, NotInstalledError
from posewire_server.sample import STILL
from tests.reference.colour_network import colour_network, painted_frame, person_at
from tests.reference.model_server import ModelServer, Reply
from tests.reference.sample_annotations import STILL_ANNOTATIONS
from tests.reference.small_models import CONTENT, XML, entry, prebuilt_entry, remote_file
from tests.reference.waiting import wait_until

NETWORK = {"/fp32/small.xml": [Reply(XML)], "/fp32/small.bin": [Reply(CONTENT)]}
WAIT_SECS = 60


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("POSEWIRE_CACHE", str(tmp_path / "cache"))
    for name in ("POSEWIRE_MIRROR", "POSEWIRE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def use(model: CatalogEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_on_demand, "CATALOG", {model.name: model})


def files_in(directory: Path) -> list[str]:
    found = (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")
    return sorted(str(path.relative_to(directory)) for path in found)


def colour_files(directory: Path) -> dict[str, bytes]:
    path = directory / "small.xml"
    ov.save_model(colour_network(), path, compress_to_fp16=False)
    return {f"fp32/{each.name}": each.read_bytes() for each in (path, path.with_suffix(".bin"))}


def test_predict_and_serve_download_once_and_name_the_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = colour_files(tmp_path)
    image = tmp_path / "7.png"
    cv2.imwrite(str(image), painted_frame(320, 256, [person_at(41, 31, 30)]))
    with ModelServer({f"/{path}": [Reply(content)] for path, content in files.items()}) as server:
        remote = tuple(
            remote_file(content, path=path, address=f"{server.address}/{path}")
            for path, content in files.items()
        )
        use(entry(Prebuilt({"fp32": remote, "fp16": remote})), monkeypatch)
        for announcements in (1, 0):
            assert main(["predict", "--model", "small", "--threads", "1", str(image)]) == 0
            out, err = capsys.readouterr()
            assert ", 1 person\n" in out
            assert err.count("fetching small (licence Apache-2.0, 0 MB) from 127.0.0.1 into ") == (
                announcements
            )
        options = {"listen": ListenOptions(model=("small",)), "network": NetworkOptions(threads=1)}
        (served,) = ConfiguredModels(options, dict).load()
        assert served.name == "small"
        assert len(server.requests) == len(files)


@pytest.mark.parametrize("by_variable", [False, True])
@pytest.mark.parametrize(
    "command",
    [
        ["predict", str(STILL)],
        ["stream", str(STILL)],
        ["bench"],
        ["eval", "--images", str(STILL.parent), "--annotations", str(STILL_ANNOTATIONS)],
        ["serve", "--address", "127.0.0.1:0", "--metrics-address", "none"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_downloads_offline(
    tmp_path: Path,
    command: list[str],
    by_variable: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ModelServer(NETWORK) as server:
        use(prebuilt_entry(server.address), monkeypatch)
        if by_variable:
            monkeypatch.setenv("POSEWIRE_OFFLINE", "1")
        option = [] if by_variable else ["--offline"]
        assert main([*command, "--model", "small", *option]) == 1
        assert server.requests == []
    out, err = capsys.readouterr()
    assert out == ""
    forbidding = "POSEWIRE_OFFLINE=1" if by_variable else "--offline"
    assert err.startswith("posewire: small is missing or incomplete: want ")
    assert err.endswith(
        f"; run: posewire models fetch small; {forbidding} forbids downloads here\n"
    )
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("value", ["", "0", "False"])
def test_the_variable_can_allow_downloads(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEWIRE_OFFLINE", value)
    with ModelServer(NETWORK) as server:
        use(prebuilt_entry(server.address), monkeypatch)
        assert find_or_fetch_model("small", NetworkOptions()).path.read_bytes() == XML


def test_an_installed_model_is_used_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(NETWORK) as server:
        use(prebuilt_entry(server.address), monkeypatch)
        cache = tmp_path / "other"
        fetched = find_or_fetch_model("small", NetworkOptions(cache=cache))
    assert find_or_fetch_model("small", NetworkOptions(cache=cache, offline=True)) == fetched
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_mirror_is_used(by_variable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    use(prebuilt_entry("http://127.0.0.1:9"), monkeypatch)
    with ModelServer({f"/small{path}": reply for path, reply in NETWORK.items()}) as server:
        if by_variable:
            monkeypatch.setenv("POSEWIRE_MIRROR", server.address)
        options = NetworkOptions(mirror=None if by_variable else server.address)
        assert find_or_fetch_model("small", options).path.read_bytes() == XML


def test_a_failed_download_leaves_no_network_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with ModelServer({**NETWORK, "/fp32/small.bin": [Reply(status=404)]}) as server:
        use(prebuilt_entry(server.address), monkeypatch)
        assert main(["predict", "--model", "small", str(STILL)]) == 1
        *_, last = capsys.readouterr().err.splitlines()
        assert last.startswith(f"posewire: {server.address}/fp32/small.bin: got status 404")
        assert not (tmp_path / "cache/small/fp32").exists()
        server.replies["/fp32/small.bin"] = [Reply(CONTENT)]
        find_or_fetch_model("small", NetworkOptions())
    assert files_in(tmp_path / "cache") == ["small/fp32/small.bin", "small/fp32/small.xml"]


def test_a_model_without_a_known_licence_is_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ModelServer(NETWORK) as server:
        use(replace(prebuilt_entry(server.address), licence=""), monkeypatch)
        with pytest.raises(FetchError, match=r"^small: its licence is not known.*run: posewire"):
            find_or_fetch_model("small", NetworkOptions())
        assert server.requests == []
    assert not (tmp_path / "cache").exists()


def test_a_model_without_a_known_address_is_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = remote_file(XML, path="fp32/small.xml", address="")
    use(entry(Prebuilt({"fp32": (file,), "fp16": (file,)})), monkeypatch)
    with pytest.raises(FetchError, match=r"^small: the address of its files is not known; name a"):
        find_or_fetch_model("small", NetworkOptions())
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("offline", [False, True])
def test_a_checkpoint_that_users_supply_is_not_downloaded(offline: bool) -> None:
    with pytest.raises(NotInstalledError) as caught:
        find_or_fetch_model("higher-hrnet-w48", NetworkOptions(offline=offline))
    assert "get pose_higher_hrnet_w48_640.pth from the model zoo linked at " in str(caught.value)
    remedy = "posewire models convert --checkpoint pose_higher_hrnet_w48_640.pth"
    assert str(caught.value).endswith(remedy)


def test_two_commands_at_once_download_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock is one between open files, so threads stand for processes."""
    slow = [Reply(CONTENT, sent=1000, stalls=True), Reply(CONTENT)]
    with ModelServer({**NETWORK, "/fp32/small.bin": slow}) as server, ThreadPoolExecutor() as pool:
        use(prebuilt_entry(server.address), monkeypatch)
        first = pool.submit(find_or_fetch_model, "small", NetworkOptions())
        wait_until(lambda: len(server.requests) == 2)
        second = pool.submit(find_or_fetch_model, "small", NetworkOptions())
        wait_until(lambda: "small: waiting for another process to fetch it" in caplog.text)
        server.stopping.set()
        assert first.result(WAIT_SECS) == second.result(WAIT_SECS)
        assert [request.path for request in server.requests] == [
            "/fp32/small.xml",
            "/fp32/small.bin",
            "/fp32/small.bin",
        ]
