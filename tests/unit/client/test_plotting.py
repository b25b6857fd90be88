from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest

from posewire.v1 import pose_service_pb2
from posewire_client import EncodedImage, MissingPackageError, NoDisplayError, Result
from posewire_client.request import kept_image
from posewire_client.response import model_from_message, result_from_response
from tests.reference.scripted_service import small_model, small_pose

WIDTH, HEIGHT = 80, 60
GREY = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
BLUE = np.full((HEIGHT, WIDTH, 3), (200, 0, 0), np.uint8)  # as BGR


def result_of(*, image: Any = None, described: bool = True) -> Result:
    response = pose_service_pb2.EstimatePosesResponse(
        poses=[small_pose()], model="small", image_width=WIDTH, image_height=HEIGHT
    )
    skeleton = model_from_message(small_model()).skeleton if described else None
    return result_from_response(response, skeleton=skeleton, image=image)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "blue.png"
    cv2.imwrite(str(path), BLUE)
    return path


def is_drawn_on(background: tuple[int, int, int], image: np.ndarray) -> bool:
    """Whether the pose near the top left is drawn, and the rest has this colour."""
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert (image[-10:, -10:] == background).all()
    return bool((image[:10, :10] != background).any())


@pytest.mark.parametrize(
    "image",
    [
        GREY,
        GREY[..., 0],
        GREY[..., :1],
        GREY[:, ::-1],
        np.dstack([GREY, GREY[..., 0]]),
        PIL.Image.fromarray(GREY),
        PIL.Image.fromarray(GREY[..., 0]),
    ],
    ids=["bgr", "grey", "one channel", "mirrored", "bgra", "pillow", "grey pillow"],
)
def test_a_plot_is_a_copy_of_any_image_with_the_poses(image: Any) -> None:
    before = np.array(image)
    assert is_drawn_on((90, 90, 90), result_of().plot(image))
    np.testing.assert_array_equal(np.array(image), before)


def test_the_order_of_the_channels_is_that_of_the_plot() -> None:
    rgb = BLUE[..., ::-1]
    assert is_drawn_on((200, 0, 0), result_of().plot(BLUE))
    assert is_drawn_on((0, 0, 200), result_of().plot(rgb, color="rgb"))
    assert is_drawn_on((200, 0, 0), result_of().plot(PIL.Image.fromarray(rgb)))
    wrong: Any = "hsv"
    with pytest.raises(ValueError, match="color: got 'hsv'"):
        result_of().plot(BLUE, color=wrong)


def test_a_result_of_a_path_needs_no_image(path: Path) -> None:
    result = result_of(image=kept_image(path))
    assert is_drawn_on((200, 0, 0), result.plot())
    assert is_drawn_on((0, 0, 200), result.plot(color="rgb"))
    assert is_drawn_on((90, 90, 90), result.plot(GREY))


@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_an_array_that_is_kept_is_kept_as_bgr(color: Any) -> None:
    given = BLUE if color == "bgr" else np.ascontiguousarray(BLUE[..., ::-1])
    kept = kept_image(given, color=color, keep=True)
    assert isinstance(kept, np.ndarray)
    assert np.shares_memory(kept, given)
    np.testing.assert_array_equal(kept, BLUE)
    assert is_drawn_on((200, 0, 0), result_of(image=kept).plot())


def test_the_bytes_of_a_file_are_decoded(path: Path) -> None:
    assert is_drawn_on((200, 0, 0), result_of().plot(path.read_bytes()))


def test_a_file_is_turned_as_its_result_is(tmp_path: Path) -> None:
    """The picture of a phone held upright: wide as stored, high as shown."""
    path = tmp_path / "photo.jpg"
    photo = PIL.Image.fromarray(GREY).transpose(PIL.Image.Transpose.ROTATE_90)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # turn it clockwise
    photo.save(path, exif=exif)
    assert is_drawn_on((90, 90, 90), result_of(image=kept_image(path)).plot())
    assert is_drawn_on((90, 90, 90), result_of().plot(path.read_bytes()))
    stored = EncodedImage(path, apply_orientation=False)
    with pytest.raises(ValueError, match="got 60x80 pixels, want 80x60"):
        result_of(image=kept_image(stored)).plot()
    with pytest.raises(ValueError, match="is the image itself"):
        result_of(image=kept_image(stored)).save(path)


def test_weak_keypoints_are_left_out_on_request() -> None:
    image = result_of().plot(GREY, min_keypoint_score=1.0)
    np.testing.assert_array_equal(image, GREY)


def test_people_have_colours_of_their_own_on_request(tmp_path: Path) -> None:
    by_limb, by_person = (
        result_of().plot(GREY, color_by=color_by) for color_by in ("limb", "person")
    )
    assert (by_limb != by_person).any()
    result_of().save(tmp_path / "people.png", GREY, color_by="person")
    assert (cv2.imread(str(tmp_path / "people.png")) == by_person).all()


def test_without_a_skeleton_there_are_points_but_no_lines() -> None:
    assert is_drawn_on((90, 90, 90), result_of(described=False).plot(GREY))


def test_no_image_and_another_image_are_named() -> None:
    with pytest.raises(ValueError, match=r"the result has no image: .* or use keep_images"):
        result_of().plot()
    with pytest.raises(ValueError, match="image: got 40x30 pixels, want 80x60: the one"):
        result_of().plot(GREY[::2, ::2])
    with pytest.raises(ValueError, match="the image's bytes: OpenCV cannot decode it"):
        result_of().plot(b"not an image")
    with pytest.raises(ValueError, match="of type list"):
        result_of().plot([1])  # type: ignore[arg-type]


@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_a_picture_is_saved(tmp_path: Path, color: Any) -> None:
    path = tmp_path / "drawn.png"
    result_of().save(path, BLUE if color == "bgr" else BLUE[..., ::-1], color=color)
    assert is_drawn_on((200, 0, 0), cv2.imread(str(path)))


def test_a_picture_does_not_replace_its_image(path: Path, tmp_path: Path) -> None:
    result, before = result_of(image=str(path)), path.read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(path)
    for place in (path, link):
        with pytest.raises(ValueError, match="is the image itself, want another file"):
            result.save(place)
    assert path.read_bytes() == before
    result.save(tmp_path / "drawn.jpg")
    assert is_drawn_on((200, 0, 0), result.plot(path))


def test_a_picture_that_cannot_be_saved_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("got the suffix '.xyz', want .png or .jpg")):
        result_of().save(tmp_path / "drawn.xyz", GREY)
    with pytest.raises(FileNotFoundError):
        result_of().save(tmp_path / "missing" / "drawn.png", GREY)


def test_without_a_display_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NoDisplayError, match=r"no display: .* want a desktop, or Result\.save"):
        result_of().show(GREY)


def test_an_opencv_without_windows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def imshow(*arguments: Any) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", imshow)
    with pytest.raises(MissingPackageError, match="pip install opencv-python"):
        result_of().show(GREY)


@pytest.mark.parametrize("ends", ["key", "closed"])
def test_a_window_stays_until_a_key_or_its_end(monkeypatch: pytest.MonkeyPatch, ends: str) -> None:
    shown: list[np.ndarray] = []
    keys = iter([-1, -1, 27] if ends == "key" else [-1, -1, -1, -1])
    visible = iter([1.0, 1.0] if ends == "key" else [1.0, 0.0])
    destroyed: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda millis: next(keys))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda title, which: next(visible))
    monkeypatch.setattr(cv2, "destroyWindow", destroyed.append)
    result_of().show(BLUE[..., ::-1], color="rgb")
    assert is_drawn_on((200, 0, 0), np.ascontiguousarray(shown[0]))
    assert destroyed == (["posewire"] if ends == "key" else [])


def test_without_opencv_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "posewire_client.plotting", raising=False)
    monkeypatch.setitem(sys.modules, "cv2", None)
    remedy = r"Result\.plot needs OpenCV, .* pip install 'posewire\[opencv\]'"
    with pytest.raises(MissingPackageError, match=remedy):
        result_of().plot(GREY)
