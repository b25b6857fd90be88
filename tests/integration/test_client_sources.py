"""What both clients take as the source of a stream's frames."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from posewire_client import (
    AsyncClient,
    Client,
    MissingPackageError,
    Result,
    UnsuitableImageError,
)
from tests.reference.scripted_service import ScriptedService

pytestmark = pytest.mark.anyio

COUNT = 5


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(COUNT):
        writer.write(np.full((48, 64, 3), 30, np.uint8))
    writer.release()
    return path


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_a_video(video: Path, target: str, kind: Any) -> None:
    with Client(target) as client:
        outcomes = list(client.stream(kind(video)))
    assert [outcome.frame_id for outcome in outcomes] == [*range(1, COUNT + 1)]
    assert all(isinstance(outcome, Result) for outcome in outcomes)


async def test_a_path_is_a_video_for_the_async_client(video: Path, target: str) -> None:
    async with AsyncClient(target) as client:
        assert len([outcome async for outcome in client.stream(video)]) == COUNT


def test_a_video_may_be_left_early(video: Path, target: str) -> None:
    with Client(target) as client:
        outcomes = client.stream(video, window=1)
        next(outcomes)
        outcomes.close()


def test_a_file_that_is_no_video_is_named(
    tmp_path: Path, target: str, service: ScriptedService
) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("nothing to see")
    with (
        Client(target) as client,
        pytest.raises(UnsuitableImageError, match=r"the video .*notes\.mp4: cannot be opened"),
    ):
        list(client.stream(path))


def test_credentials_are_not_in_the_message(target: str) -> None:
    with Client(target) as client, pytest.raises(UnsuitableImageError) as caught:
        list(client.stream("nosuch://user:secret@host/video"))
    assert "nosuch://host/video: cannot be opened" in str(caught.value)


async def _frames() -> AsyncIterator[bytes]:
    yield b"image"


@pytest.mark.parametrize(
    ("frames", "error", "said"),
    [
        ("missing.mp4", FileNotFoundError, "missing.mp4: no such file, want an iterable of images"),
        (b"\xff\xd8", TypeError, "frames: got bytes, want an iterable of images, or the path of a"),
        (np.zeros((4, 5, 3), np.uint8), TypeError, "frames: got an array (4, 5, 3), want an iter"),
        (np.zeros((4, 5), np.uint8), TypeError, "frames: got an array (4, 5), want an iterable"),
        (0, TypeError, "frames: got 0, want an iterable of images, or the path of a video"),
        (None, TypeError, "frames: got None, want an iterable of images, or the path of a video"),
        (_frames(), TypeError, "got an asynchronous iterable"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_anything_else_is_refused_at_once(frames: Any, error: type[Exception], said: str) -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(error, match=re.escape(said)):
        client.stream(frames)


async def test_the_async_client_refuses_the_same() -> None:
    async with AsyncClient("127.0.0.1:1") as client:
        for frames in (b"\xff\xd8", np.zeros((4, 5, 3), np.uint8), 0):
            wrong: Any = frames
            with pytest.raises(TypeError, match="want an iterable of images"):
                client.stream(wrong)


def test_an_array_of_frames_is_iterated_over(target: str) -> None:
    with Client(target) as client:
        assert len(list(client.stream(np.zeros((3, 4, 5, 3), np.uint8)))) == 3


def test_without_opencv_the_remedy_is_named(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "posewire_client.video", raising=False)
    monkeypatch.setitem(sys.modules, "cv2", None)
    remedy = r"needs OpenCV, .* run: pip install 'posewire\[opencv\]'"
    with Client("127.0.0.1:1") as client, pytest.raises(MissingPackageError, match=remedy):
        client.stream(video)
