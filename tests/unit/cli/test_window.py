"""Windows, without a display: OpenCV's functions for them are replaced."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from posewire_cli.errors import OutputError
from posewire_cli.output.answered_image import AnsweredImage
from posewire_cli.output.window import Window, check_can_show
from posewire_cli.output.writing import write_all
from tests.reference.outcomes import FAILED, SKIPPED, answered, result


class FakeScreen:
    """`keys` are pressed one by one, None closes the window, -1 is no key."""

    def __init__(self, *keys: str | int | None) -> None:
        self.shown: list[np.ndarray] = []
        self.size = (0, 0)
        self._keys = iter(keys)
        self._is_open = False

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cv2, "namedWindow", self._open)
        monkeypatch.setattr(cv2, "resizeWindow", self._resize)
        monkeypatch.setattr(cv2, "imshow", lambda _title, canvas: self.shown.append(canvas))
        monkeypatch.setattr(cv2, "waitKey", self._wait)
        monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: float(self._is_open))
        monkeypatch.setattr(cv2, "destroyWindow", self._close)
        monkeypatch.setattr(cv2, "destroyAllWindows", self._close)

    def _open(self, *_: object) -> None:
        self._is_open = True

    def _close(self, *_: object) -> None:
        self._is_open = False

    def _resize(self, _title: str, width: int, height: int) -> None:
        self.size = width, height

    def _wait(self, _millis: int) -> int:
        key = next(self._keys, -1)
        if key is None:
            self._close()
            return -1
        return ord(key) if isinstance(key, str) else key


def frames(*outcomes: object, size: tuple[int, int] = (64, 96)) -> list[AnsweredImage]:
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    return [answered(each, number=i, pixels=pixels) for i, each in enumerate(outcomes)]  # type: ignore[arg-type]


def show(images: list[AnsweredImage], *, waits: bool) -> list[int]:
    """Return the numbers of the images that were passed on."""
    passed: list[int] = []

    def note() -> Iterator[AnsweredImage]:
        for image in images:
            passed.append(image.image_id)
            yield image

    window = Window(lambda image: image.pixels(), waits=waits)
    write_all(note(), [window], total=None, unit="frame")
    return passed


def test_all_frames_of_a_video_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = FakeScreen()
    screen.install(monkeypatch)
    assert show(frames(result(), SKIPPED, FAILED), waits=False) == [0, 1, 2]
    assert len(screen.shown) == 3


def test_images_wait_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = FakeScreen(-1, -1, "n", -1, " ")
    screen.install(monkeypatch)
    assert show(frames(result(), FAILED, result()), waits=True) == [0, 1, 2]
    assert len(screen.shown) == 2  # nothing to see of a failure


@pytest.mark.parametrize("how", ["q", 27, None])
@pytest.mark.parametrize("waits", [False, True])
def test_a_key_or_closing_the_window_stops(
    monkeypatch: pytest.MonkeyPatch, how: str | int | None, waits: bool
) -> None:
    screen = FakeScreen("n", how)
    screen.install(monkeypatch)
    assert show(frames(*[result()] * 5), waits=waits) == [0, 1]


def test_a_large_image_fits_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = FakeScreen()
    screen.install(monkeypatch)
    show(frames(result(), size=(3840, 2160)), waits=False)
    assert screen.size == (1600, 900)


def test_a_missing_display_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(OutputError, match=r"^--show: no display.*--save"):
        check_can_show()


def test_an_opencv_without_windows_is_an_error_that_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "namedWindow", refuse)
    with pytest.raises(OutputError, match="pip install opencv-python, or use --save"):
        check_can_show()


def test_a_display_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    FakeScreen().install(monkeypatch)
    check_can_show()
