from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from posewire_cli.errors import SourceError
from posewire_cli.source.video_source import VideoSource
from posewire_server.sample import CLIP
from tests.reference.model_server import ModelServer, Reply


def test_a_file_has_all_its_frames() -> None:
    with closing(VideoSource(str(CLIP))) as source:
        assert (source.frame_count, source.rate, source.is_live) == (125, 25.0, False)
        assert source.file_stem == "clip"
        frames = list(source.frames())
        assert [source.captured_secs(number) for number in (0, 50)] == [0, 2]
    assert len(frames) == 125
    assert frames[0].shape == (360, 640, 3)
    assert frames[0].dtype == np.uint8
    assert (frames[0] != frames[124]).any()


def test_an_address_works_as_a_file_does() -> None:
    replies = {"/clip.mp4": [Reply(CLIP.read_bytes())]}
    with (
        ModelServer(replies) as server,
        closing(VideoSource(f"{server.address}/clip.mp4")) as source,
    ):
        assert (source.frame_count, source.is_live) == (125, False)
        assert (next(source.frames()) == first_frame()).all()


def first_frame() -> np.ndarray:
    with closing(VideoSource(str(CLIP))) as source:
        return next(source.frames())


def test_no_password_is_shown() -> None:
    with pytest.raises(SourceError) as caught:
        VideoSource("rtsp://eve:secret@127.0.0.1:1/door?a=1")
    assert str(caught.value).startswith("rtsp://127.0.0.1:1/door?a=1: cannot be opened")


@pytest.mark.parametrize("given", ["no/such.mp4", "977"])
def test_what_cannot_be_opened_is_named(given: str) -> None:
    with pytest.raises(SourceError, match=given):
        VideoSource(given)


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("nothing to see")
    with pytest.raises(SourceError, match="cannot be opened"):
        VideoSource(str(path))


def test_no_frame_comes_once_it_is_closed() -> None:
    with closing(VideoSource(str(CLIP))) as source:
        frames = source.frames()
        next(frames)
    assert next(frames, None) is None
