from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_cli.batches import estimate_files, estimate_frames
from posewire_cli.source.source_image import SourceImage
from posewire_client import EncodedImage, FrameFailure, FrameInput, Outcome, Result, TimedImage
from tests.reference.image_files import encoded, with_orientation
from tests.reference.outcomes import FAILED, result


def answer_late(frames: Iterable[FrameInput]) -> Iterator[Outcome]:
    """Everything is sent before the first answer comes, as with a wide window."""
    sent = list(frames)
    yield from map(answer, sent)


def answer_at_once(frames: Iterable[FrameInput]) -> Iterator[Outcome]:
    yield from map(answer, frames)


def answer(frame: FrameInput) -> Outcome:
    content = frame.image if isinstance(frame, TimedImage) else frame
    content = content.file if isinstance(content, EncodedImage) else content
    return FAILED if isinstance(content, bytes) and content == b"noise" else result()


def grey(value: int) -> NDArray[np.uint8]:
    return np.full((6, 8, 3), value, np.uint8)


def test_each_file_has_its_outcome_in_its_turn(tmp_path: Path) -> None:
    good = encoded(grey(7), ".png")
    contents = {"a.png": b"", "b.png": good, "c.png": b"noise", "d.png": good, "e.png": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [*(tmp_path / name for name in contents), tmp_path / "gone.png"]
    sources = [SourceImage(str(path), path.stem, path.read_bytes, path) for path in paths]
    for stream in (answer_late, answer_at_once):
        images = list(estimate_files(stream, sources))
        assert [image.name for image in images] == list(map(str, paths))
        kinds = [type(image.outcome) for image in images]
        assert kinds == [FrameFailure, Result, FrameFailure, Result, FrameFailure, FrameFailure]
        complaints = [str(images[i].outcome.error) for i in (0, 2, 5)]  # type: ignore[union-attr]
        assert complaints[0] == "got 0 bytes, want an image file"
        assert "got noise" in complaints[1]
        assert complaints[2] == "No such file or directory"
        assert [image.image_id for image in images] == [1, 2, 3, 4, 5, 6]
        assert (images[1].pixels() == grey(7)).all()


@pytest.mark.parametrize("applied", [True, False])
def test_poses_and_pixels_have_the_same_orientation(tmp_path: Path, applied: bool) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(with_orientation(encoded(grey(7), ".png"), 8))
    sent: list[FrameInput] = []

    def send(frames: Iterable[FrameInput]) -> Iterator[Outcome]:
        for frame in frames:
            sent.append(frame)
            yield result()

    source = SourceImage(str(path), path.stem, path.read_bytes, path)
    (image,) = estimate_files(send, [source], apply_orientation=applied)
    assert sent == [EncodedImage(path.read_bytes(), applied)]
    assert image.pixels().shape == ((8, 6, 3) if applied else (6, 8, 3))


def test_each_frame_has_its_outcome_and_its_pixels() -> None:
    for stream in (answer_late, answer_at_once):
        images = list(
            estimate_frames(
                stream,
                [grey(0), grey(1), grey(2)],
                name="walk.mp4",
                file_stem="walk",
                captured_secs=float,
                encode=lambda frame: b"noise" if frame[0, 0, 0] == 1 else frame,
            )
        )
        assert [image.labels["frame"] for image in images] == [0, 1, 2]
        assert [int(image.pixels()[0, 0, 0]) for image in images] == [0, 1, 2]
        kinds = [type(image.outcome) for image in images]
        assert kinds == [Result, FrameFailure, Result]
        assert images[2].file_stem == "walk_000000000002"


def test_each_frame_is_sent_with_its_capture_time() -> None:
    sent: list[float] = []

    def send(frames: Iterable[FrameInput]) -> Iterator[Outcome]:
        for frame in frames:
            assert isinstance(frame, TimedImage)
            sent.append(frame.capture_time_secs)
            yield result()

    frames = [grey(0), grey(1), grey(2)]
    answers = estimate_frames(
        send, frames, name="walk", file_stem="walk", captured_secs=lambda number: number / 25
    )
    assert len(list(answers)) == 3
    assert sent == [0, 0.04, 0.08]
