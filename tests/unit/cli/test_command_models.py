from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import termios
from pathlib import Path

import pytest

from posewire_cli.command import main
from posewire_server.models.catalog import CATALOG
from tests.reference.model_server import ModelServer, Reply
from tests.reference.small_models import (
    CONTENT,
    XML,
    fetching_process,
    prebuilt_entry,
    use_catalog_of,
)

NETWORK = {"/fp32/small.xml": [Reply(XML)], "/fp32/small.bin": [Reply(CONTENT)]}
MIRROR = {f"/small{path}": reply for path, reply in NETWORK.items()}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("POSEWIRE_CACHE", str(tmp_path))
    monkeypatch.delenv("POSEWIRE_MIRROR", raising=False)


def install(directory: Path, name: str) -> Path:
    directory.mkdir(parents=True)
    for suffix in ("xml", "bin"):
        (directory / f"{name}.{suffix}").write_text("x")
    return directory / f"{name}.xml"


def test_the_table_has_each_model_and_what_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "higher-hrnet-w32/fp16", "higher-hrnet-w32")
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: " ".join(line.split()) for line in lines if line}
    assert [*rows][:7] == ["NAME", *CATALOG]
    assert rows["higher-hrnet-w32"] == "higher-hrnet-w32 short side 512 64.64 MIT 115 MB fp16"
    assert rows["higher-hrnet-w48"] == "higher-hrnet-w48 short side 640 69.9* MIT by hand -"
    assert rows["demo"].startswith("demo short side 256 - Apache-2.0 none ")
    name = "human-pose-estimation-0007"
    assert rows[name] == f"{name} short side 448 54.3 Apache-2.0 33 MB -"
    assert lines[-2:] == [
        "AP in percent, as published: COCO val2017, single pass; * COCO val2017, flip test",
        f"Cache: {tmp_path}",
    ]
    assert max(map(len, lines)) <= 100


def test_json_has_everything_in_the_catalog(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(tmp_path / "c/higher-hrnet-w48/fp32", "higher-hrnet-w48")
    assert main(["models", "list", "--json", "--cache", str(tmp_path / "c")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["cache"] == str(tmp_path / "c")
    models = {model["name"]: model for model in answer["models"]}
    assert [*models] == [*CATALOG]
    assert models["higher-hrnet-w48"]["installed"] == ["fp32"]
    assert models["higher-hrnet-w48"]["origin"]["checkpoint"] == "pose_higher_hrnet_w48_640.pth"
    assert models["demo"]["installed"] == ["fp16"]
    assert models["demo"]["files"] == {}
    small = models["human-pose-estimation-0005"]
    assert small["geometry"]["size"] == 288
    assert small["delta"] == [0, 0]
    assert small["accuracy"]["average_precision"] == 45.6
    assert [file["size"] for file in small["files"]["fp16"]] == [1063570, 19039904]


def test_fetch_prints_the_path_and_path_finds_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = f"{tmp_path / 'small/fp32/small.xml'}\n"
    with ModelServer(NETWORK) as server:
        use_catalog_of(prebuilt_entry(server.address), monkeypatch)
        assert main(["models", "path", "small"]) == 1
        assert "run: posewire models fetch small" in capsys.readouterr().err
        for _ in range(2):
            assert main(["models", "fetch", "small"]) == 0
            assert capsys.readouterr() == (wanted, "")
        assert len(server.requests) == 2
    assert main(["models", "path", "small"]) == 0
    assert capsys.readouterr().out == wanted
    assert main(["models", "path", "small", "--precision", "fp16"]) == 1
    assert "run: posewire models fetch small --precision fp16" in capsys.readouterr().err


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_mirror_is_named_by_option_or_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    use_catalog_of(prebuilt_entry("http://127.0.0.1:9"), monkeypatch)
    with ModelServer(MIRROR) as server:
        arguments = ["models", "fetch", "small", "--cache", str(tmp_path / "c")]
        if by_variable:
            monkeypatch.setenv("POSEWIRE_MIRROR", server.address)
        else:
            monkeypatch.setenv("POSEWIRE_MIRROR", "http://127.0.0.1:9")
            arguments += ["--mirror", server.address]
        assert main(arguments) == 0
    assert (tmp_path / "c/small/fp32/small.bin").read_bytes() == CONTENT


def test_a_mirror_that_is_not_an_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["models", "fetch", "human-pose-estimation-0005", "--mirror", "mirror.local"]
    assert main(arguments) == 1
    wanted = "posewire: mirror: got 'mirror.local', want an address, http:// or https://\n"
    assert capsys.readouterr().err == wanted


def test_the_catalogs_own_models_are_verified_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/higher-hrnet-w32/pose_higher_hrnet_w32_512.pth"
    with ModelServer({path: [Reply(CONTENT)]}) as server:
        assert main(["models", "fetch", "higher-hrnet-w32", "--mirror", server.address]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"{path}: the file there has 300000 bytes, want 115172215" in message
    assert not (tmp_path / "higher-hrnet-w32/fp32").exists()


def test_a_user_supplied_checkpoint_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "fetch", "higher-hrnet-w48"]) == 1
    message = capsys.readouterr().err
    assert "posewire models convert --checkpoint pose_higher_hrnet_w48_640.pth" in message
    assert "https://github.com/HRNet/HigherHRNet-Human-Pose-Estimation" in message


@pytest.mark.parametrize("out", [["--out", "here"], []])
def test_a_failed_conversion_is_one_line_and_leaves_nothing(
    tmp_path: Path,
    out: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.pth").write_bytes(b"no checkpoint")
    assert main(["models", "convert", "--checkpoint", "bad.pth", *out]) == 1
    assert capsys.readouterr().err.startswith("posewire: bad.pth: begins with")
    assert main(["models", "convert", "--checkpoint", "absent.pth", *out]) == 1
    assert capsys.readouterr().err == "posewire: absent.pth: No such file or directory\n"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["bad.pth"]


def test_a_cache_that_cannot_be_created_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    cache = tmp_path / "file/cache"
    assert main(["models", "fetch", "human-pose-estimation-0005", "--cache", str(cache)]) == 1
    assert "Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_shown_on_terminals_only(tmp_path: Path, terminal: bool) -> None:
    with ModelServer(NETWORK) as server:
        shown = _fetch_on_terminal(server) if terminal else _fetch_on_pipe(server)
    assert (tmp_path / "small/fp32/small.xml").exists()
    assert ("small.bin: 100%" in shown) is terminal
    assert bool(shown) is terminal


def _fetch_on_pipe(server: ModelServer) -> str:
    process = fetching_process(prebuilt_entry(server.address))
    return process.communicate(timeout=60)[1].decode()


def _fetch_on_terminal(server: ModelServer) -> str:
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    before = f"import os; os.dup2({terminal}, 2)"
    try:
        process = fetching_process(
            prebuilt_entry(server.address), before=before, pass_fds=(terminal,)
        )
        process.communicate(timeout=60)
        os.close(terminal)
        return os.read(controller, 1 << 16).decode()
    finally:
        os.close(controller)
