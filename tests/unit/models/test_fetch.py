from __future__ import annotations

import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from posewire_server.models import convert
from posewire_server.models.catalog_entry import Bundled, CatalogEntry, RemoteFile, UserSupplied
from posewire_server.models.errors import FetchError, NotInstalledError, TransferError
from posewire_server.models.fetch import Source, fetch_model
from tests.reference.model_server import ModelServer, Reply
from tests.reference.small_models import (
    CONTENT,
    HASTE,
    XML,
    converted_entry,
    copying_converter,
    entry,
    prebuilt_entry,
)

NETWORK = {
    f"/{precision}/small.{suffix}": [Reply(content)]
    for precision in ("fp32", "fp16")
    for suffix, content in (("xml", XML), ("bin", CONTENT))
}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(convert, "convert_checkpoint", copying_converter)


def fetch(model: CatalogEntry, cache: Path, **more: object) -> Path:
    return fetch_model(model, cache=cache, source=Source(patience=HASTE), **more)  # type: ignore[arg-type]


def files_in(directory: Path) -> list[str]:
    """List all files but the lock, which may or may not remain."""
    found = (path for path in directory.rglob("*") if path.is_file() and path.name != ".lock")
    return sorted(str(path.relative_to(directory)) for path in found)


def test_a_prebuilt_network_is_fetched_whole(tmp_path: Path) -> None:
    with ModelServer(NETWORK) as server:
        path = fetch(prebuilt_entry(server.address), tmp_path)
    assert path == tmp_path / "small/fp32/small.xml"
    assert path.read_bytes() == XML
    assert path.with_suffix(".bin").read_bytes() == CONTENT
    assert files_in(tmp_path) == ["small/fp32/small.bin", "small/fp32/small.xml"]


def test_a_checkpoint_is_fetched_and_converted(tmp_path: Path) -> None:
    with ModelServer({"/small.pth": [Reply(CONTENT)]}) as server:
        path = fetch(converted_entry(server.address), tmp_path, precision="fp16")
    assert path.read_text() == "fp16"
    assert path.with_suffix(".bin").read_bytes() == CONTENT
    assert files_in(tmp_path) == ["small/fp16/small.bin", "small/fp16/small.xml", "small/small.pth"]


def test_precisions_lie_side_by_side_and_share_the_checkpoint(tmp_path: Path) -> None:
    with ModelServer({"/small.pth": [Reply(CONTENT)]}) as server:
        model = converted_entry(server.address)
        paths = {
            fetch(model, tmp_path, precision="fp32"),
            fetch(model, tmp_path, precision="fp16"),
        }
    assert {path.read_text() for path in paths} == {"fp32", "fp16"}
    assert len(server.requests) == 1


@pytest.mark.parametrize("force", [False, True])
def test_installed_models_are_fetched_again_only_by_force(tmp_path: Path, force: bool) -> None:
    with ModelServer({**NETWORK, "/small.pth": [Reply(CONTENT)]}) as server:
        prebuilt, converted = prebuilt_entry(server.address), converted_entry(server.address)
        fetch(prebuilt, tmp_path / "a")
        fetch(converted, tmp_path / "b")
        before = len(server.requests)
        fetch(prebuilt, tmp_path / "a", force=force)
        fetch(converted, tmp_path / "b", force=force)
        assert len(server.requests) - before == (3 if force else 0)
    assert files_in(tmp_path / "a") == ["small/fp32/small.bin", "small/fp32/small.xml"]


def test_a_corrupted_network_is_replaced(tmp_path: Path) -> None:
    with ModelServer(NETWORK) as server:
        model = prebuilt_entry(server.address)
        weights = fetch(model, tmp_path).with_suffix(".bin")
        weights.write_bytes(CONTENT[:-1] + b"!")
        fetch(model, tmp_path)
    assert weights.read_bytes() == CONTENT
    assert files_in(tmp_path) == ["small/fp32/small.bin", "small/fp32/small.xml"]


def test_a_read_only_cache_serves_installed_models(tmp_path: Path) -> None:
    with ModelServer(NETWORK) as server:
        model = prebuilt_entry(server.address)
        path = fetch(model, tmp_path)
    shutil.rmtree(tmp_path / "small/.lock", ignore_errors=True)
    (tmp_path / "small/.lock").unlink(missing_ok=True)
    (tmp_path / "small/.lock").mkdir()  # where no lock can be had, as in a read-only directory
    assert fetch(model, tmp_path) == path


def test_the_old_network_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    with ModelServer(NETWORK) as server:
        model = prebuilt_entry(server.address)
        path = fetch(model, tmp_path)
        server.replies["/fp32/small.bin"] = [Reply(CONTENT, sent=1000)]
        with pytest.raises(TransferError, match="was cut"):
            fetch(model, tmp_path, force=True)
        assert path.with_suffix(".bin").read_bytes() == CONTENT
        server.replies["/fp32/small.bin"] = [Reply(CONTENT)]
        fetch(model, tmp_path, force=True)
    assert files_in(tmp_path) == ["small/fp32/small.bin", "small/fp32/small.xml"]


def test_a_network_appears_only_when_both_files_are_there(tmp_path: Path) -> None:
    with ModelServer({**NETWORK, "/fp32/small.bin": [Reply(status=404)]}) as server:
        model = prebuilt_entry(server.address)
        with pytest.raises(FetchError, match="404"):
            fetch(model, tmp_path)
        assert not (tmp_path / "small/fp32").exists()
        server.replies["/fp32/small.bin"] = [Reply(CONTENT)]
        fetch(model, tmp_path)
    assert [request.path for request in server.requests].count("/fp32/small.xml") == 1


def test_a_failed_conversion_leaves_no_network_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(checkpoint: Path, *, directory: Path, name: str | None, precision: str) -> Path:
        (directory / f"{name}.xml").write_text("half")
        raise ValueError("no good")

    with ModelServer({"/small.pth": [Reply(CONTENT)]}) as server:
        model = converted_entry(server.address)
        monkeypatch.setattr(convert, "convert_checkpoint", failing)
        with pytest.raises(ValueError, match="no good"):
            fetch(model, tmp_path)
        monkeypatch.setattr(convert, "convert_checkpoint", copying_converter)
        assert not (tmp_path / "small/fp32").exists()
        assert fetch(model, tmp_path).read_text() == "fp32"
    assert len(server.requests) == 1
    assert files_in(tmp_path) == ["small/fp32/small.bin", "small/fp32/small.xml", "small/small.pth"]


def test_a_mirror_replaces_the_address(tmp_path: Path) -> None:
    replies = {f"/deep/down/small{path}": reply for path, reply in NETWORK.items()}
    with ModelServer(replies) as server:
        for number, slash in enumerate(("", "/")):
            source = Source(mirror=f"{server.address}/deep/down{slash}", patience=HASTE)
            model = prebuilt_entry("http://127.0.0.1:9")
            path = fetch_model(model, cache=tmp_path / str(number), source=source)
            assert path.read_bytes() == XML


def test_a_cache_can_be_a_mirror(tmp_path: Path) -> None:
    with ModelServer({"/small.pth": [Reply(CONTENT)]}) as server:
        fetch(converted_entry(server.address), tmp_path / "one")
    with ModelServer({"/small.pth": [Reply(status=500)]}) as server:
        model = converted_entry(server.address)
    handler = partial(_QuietFiles, directory=str(tmp_path / "one"))
    mirror = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=mirror.serve_forever, args=(0.02,))
    thread.start()
    try:
        source = Source(mirror=f"http://127.0.0.1:{mirror.server_address[1]}", patience=HASTE)
        path = fetch_model(model, cache=tmp_path / "other", source=source)
    finally:
        mirror.shutdown()
        mirror.server_close()
        thread.join()
    assert path.with_suffix(".bin").read_bytes() == CONTENT


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the tests' output."""


def test_progress_is_reported_up_to_the_full_size(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []

    def note(file: RemoteFile, have: int) -> None:
        seen.append((file.name, have))

    with ModelServer(NETWORK) as server:
        source = Source(patience=HASTE, progress=note)
        fetch_model(prebuilt_entry(server.address), cache=tmp_path, source=source)
    assert seen[0] == ("small.xml", 0)
    assert ("small.xml", len(XML)) in seen
    assert seen[-1] == ("small.bin", len(CONTENT))
    assert seen == sorted(seen, key=lambda each: (each[0] == "small.bin", each[1]))


def test_a_bundled_model_is_not_fetched(tmp_path: Path) -> None:
    for suffix in ("xml", "bin"):
        (tmp_path / f"tiny.{suffix}").write_text("x")
    model = entry(Bundled(tmp_path, precision="fp16"), name="tiny")
    assert fetch_model(model, cache=tmp_path / "cache", force=True) == tmp_path / "tiny.xml"
    assert not (tmp_path / "cache").exists()


def test_a_user_supplied_checkpoint_is_explained_until_converted(tmp_path: Path) -> None:
    model = entry(UserSupplied(checkpoint="big.pth", page="https://example.org/zoo"))
    with pytest.raises(NotInstalledError) as caught:
        fetch_model(model, cache=tmp_path)
    assert "big.pth from the model zoo linked at https://example.org/zoo" in str(caught.value)
    assert "posewire models convert --checkpoint big.pth" in str(caught.value)
    (tmp_path / "small/fp32").mkdir(parents=True)
    for suffix in ("xml", "bin"):
        (tmp_path / f"small/fp32/small.{suffix}").write_text("x")
    assert fetch_model(model, cache=tmp_path) == tmp_path / "small/fp32/small.xml"
