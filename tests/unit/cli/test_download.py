from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from posewire_cli.errors import SourceError
from posewire_cli.source import bounded_reading, download
from posewire_cli.source.image_files import find_images
from tests.reference.model_server import ModelServer, Reply

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with ModelServer() as running:
        yield running


def test_an_address_is_read(server: ModelServer) -> None:
    server.replies["/a/photo%20one.jpg?size=big"] = [Reply(CONTENT)]
    (image,) = find_images([f"{server.address}/a/photo one.jpg?size=big"])
    assert (image.stem, image.path) == ("photo_one", None)
    assert image.read() == CONTENT


def test_a_redirect_is_followed_over_http_only(server: ModelServer, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    server.replies["/photo.jpg"] = [Reply(CONTENT)]
    for path, location in (("/to", "/photo.jpg"), ("/local", f"file://{secret}")):
        server.replies[path] = [Reply(status=302, headers={"Location": location})]
    assert download.download(f"{server.address}/to") == CONTENT
    with pytest.raises(SourceError, match="302"):
        download.download(f"{server.address}/local")


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (Reply(status=404), "HTTP status 404"),
        (Reply(CONTENT, sent=1000), f"ended {len(CONTENT) - 1000} bytes early"),
        (Reply(CONTENT, length=len(CONTENT) << 9), "larger than 256 MiB"),
        (Reply(status=302, headers={"Location": "/photo.jpg"}), "302"),
    ],
)
def test_what_is_not_downloaded_is_said(server: ModelServer, reply: Reply, complaint: str) -> None:
    server.replies["/photo.jpg"] = [reply]
    with pytest.raises(SourceError, match=complaint):
        download.download(f"{server.address}/photo.jpg")


def test_a_body_without_an_end_is_cut(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_reading, "MAX_BYTES", 1 << 19)
    server.replies["/photo.jpg"] = [Reply(CONTENT, length=None)]
    with pytest.raises(SourceError, match="is larger than"):
        download.download(f"{server.address}/photo.jpg")


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\nx"])
def test_a_server_that_sends_slowly_is_left(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(download, "DEADLINE_SECS", 0.3)
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection, suppress(ConnectionError):
            connection.sendall(sent)
            while not ended.wait(0.02):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(SourceError, match=r"took longer than 0\.3 s"):
                download.download(f"http://127.0.0.1:{listener.getsockname()[1]}/photo.jpg")
        finally:
            ended.set()
            thread.join()


def test_the_body_of_a_redirect_is_not_read(server: ModelServer) -> None:
    server.replies["/photo.jpg"] = [Reply(CONTENT)]
    ended = threading.Event()

    def redirect() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            to = f"{server.address}/photo.jpg"
            connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n\r\n".encode())
            while not ended.is_set():
                connection.sendall(bytes(1 << 16))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=redirect)
        thread.start()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/to"
            assert download.download(url) == CONTENT
        finally:
            ended.set()
            thread.join()


def test_nothing_listening_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(SourceError, match=r"cannot be downloaded: .*refused"):
        download.download("http://127.0.0.1:1/photo.jpg")


@pytest.mark.parametrize(
    ("url", "name", "complaint"),
    [
        ("http://me:word@host/a.jpg", "http://host/a.jpg", "got a user in the address"),
        ("http:///a.jpg", "http:///a.jpg", "got no host"),
        ("http://host:x/a.jpg", "http://host:x/a.jpg", "want http://HOST/PATH"),
        ("http://[::1/a.jpg", "http://[::1/a.jpg", "want http://HOST/PATH"),
    ],
)
def test_an_address_that_is_none_is_absent(url: str, name: str, complaint: str) -> None:
    (image,) = find_images([url])
    assert (image.name, image.is_absent) == (name, True)
    with pytest.raises(SourceError, match=complaint):
        image.read()


@pytest.mark.parametrize(
    ("url", "stem"),
    [
        ("https://host/a/b.c.jpg", "b.c"),
        ("https://host", "image"),
        ("https://host/%2e%2e%2fetc%2fpasswd", "passwd"),
        ("https://host/..", "image"),
        ("https://host/a%00%0ab.png", "a__b"),
    ],
)
def test_a_stem_is_a_file_name(url: str, stem: str) -> None:
    assert download.url_stem(url) == stem


def test_a_file_without_an_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_reading, "MAX_BYTES", 3 << 20)
    (image,) = find_images(["/dev/zero"])
    with pytest.raises(SourceError, match="is larger than 3 MiB"):
        image.read()
