from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from posewire.v1 import image_pb2
from posewire_client import (
    Box,
    Delivery,
    EncodedImage,
    EstimateOptions,
    SmoothingOptions,
    TimedImage,
    UnsuitableImageError,
)
from posewire_client.image import write_image
from posewire_client.pixels import Color
from posewire_client.request import estimate_request, frame_request, stream_config


def message_of(image: Any, *, color: Color = "bgr") -> image_pb2.Image:
    message = image_pb2.Image()
    write_image(message, image, color=color)
    return message


def test_a_colour_array_is_sent_as_bgr() -> None:
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    raw = message_of(pixels).raw
    assert (raw.width, raw.height, raw.pixel_format) == (5, 4, image_pb2.PIXEL_FORMAT_BGR8)
    assert raw.data == pixels.tobytes()
    assert not raw.HasField("row_stride_bytes")


def test_a_grey_array_is_sent_as_gray8() -> None:
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5)
    raw = message_of(pixels).raw
    assert (raw.width, raw.height, raw.pixel_format) == (5, 4, image_pb2.PIXEL_FORMAT_GRAY8)
    assert raw.data == pixels.tobytes()


def test_a_view_is_sent_in_its_own_order() -> None:
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)[::-1, ::2, ::-1]
    assert message_of(pixels).raw.data == pixels.copy().tobytes()


@pytest.mark.parametrize(
    ("shape", "color", "pixel_format"),
    [
        ((4, 5), "rgb", image_pb2.PIXEL_FORMAT_GRAY8),
        ((4, 5, 1), "bgr", image_pb2.PIXEL_FORMAT_GRAY8),
        ((4, 5, 3), "rgb", image_pb2.PIXEL_FORMAT_RGB8),
        ((4, 5, 4), "bgr", image_pb2.PIXEL_FORMAT_BGRA8),
        ((4, 5, 4), "rgb", image_pb2.PIXEL_FORMAT_RGBA8),
    ],
)
def test_each_layout_has_its_format(shape: Any, color: Any, pixel_format: int) -> None:
    pixels = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    raw = message_of(pixels, color=color).raw
    assert (raw.width, raw.height, raw.pixel_format) == (5, 4, pixel_format)
    assert raw.data == pixels.tobytes()


@pytest.mark.parametrize(
    "view",
    [
        np.s_[::-1],
        np.s_[:, ::-1],
        np.s_[::2, 1:4],
        np.s_[..., ::-1],
    ],
    ids=str,
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_strides_are_sent_as_seen(view: Any, order: Any) -> None:
    pixels = np.asarray(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3), order=order)[view]
    raw = message_of(pixels).raw
    assert raw.data == bytes(pixels.ravel())
    assert (raw.height, raw.width) == pixels.shape[:2]


@pytest.mark.parametrize(
    ("mode", "pixel_format", "data"),
    [
        ("L", image_pb2.PIXEL_FORMAT_GRAY8, bytes([7])),
        ("RGB", image_pb2.PIXEL_FORMAT_RGB8, bytes([7, 7, 7])),
        ("RGBA", image_pb2.PIXEL_FORMAT_RGBA8, bytes([7, 7, 7, 255])),
        ("P", image_pb2.PIXEL_FORMAT_RGB8, bytes([7, 7, 7])),
        ("1", image_pb2.PIXEL_FORMAT_RGB8, bytes([255, 255, 255])),
        ("CMYK", image_pb2.PIXEL_FORMAT_RGB8, bytes([7, 7, 7])),
        ("LA", image_pb2.PIXEL_FORMAT_RGB8, bytes([7, 7, 7])),
    ],
)
def test_an_image_of_pillow_is_sent(mode: str, pixel_format: int, data: bytes) -> None:
    grey = PIL.Image.new("L", (5, 4), 255 if mode == "1" else 7)
    image = (grey.convert("RGB") if mode == "CMYK" else grey).convert(mode)
    raw = message_of(image).raw
    assert (raw.width, raw.height, raw.pixel_format) == (5, 4, pixel_format)
    assert raw.data == data * 20


def test_an_unknown_order_of_channels_is_named() -> None:
    wrong: Any = "grb"
    with pytest.raises(ValueError, match="color: got 'grb', want 'bgr' or 'rgb'"):
        estimate_request(np.zeros((4, 5, 3), np.uint8), model="", options=None, color=wrong)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_sent_as_a_file(kind: Any) -> None:
    message = image_pb2.Image()
    assert write_image(message, kind(b"\xff\xd8 and more")) == 11
    assert message.encoded.data == b"\xff\xd8 and more"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_read(kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(b"a file")
    assert message_of(kind(path)).encoded.data == b"a file"


@pytest.mark.parametrize("image", [b"a file", EncodedImage(b"a file")], ids=["bytes", "image"])
def test_files_are_turned_as_their_metadata_says(image: Any) -> None:
    assert message_of(image).encoded.orientation_policy == image_pb2.ORIENTATION_POLICY_APPLY


def test_an_encoded_image_may_be_read_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes(b"a file")
    for file in (b"a file", path, str(path)):
        encoded = message_of(EncodedImage(file, apply_orientation=False)).encoded
        assert encoded.data == b"a file"
        assert encoded.orientation_policy == image_pb2.ORIENTATION_POLICY_IGNORE


def test_a_missing_file_raises_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        message_of(tmp_path / "nothing.jpg")


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 5, 3), np.float32), r"float32 with shape \(4, 5, 3\)"),
        (np.ones((4, 5, 3), np.float64), r"from 0 to 1 by \(255 \* image\)\.astype\(np\.uint8\)"),
        (np.zeros((4, 5, 3), np.uint16), r"bits by \(image >> 8\)\.astype\(np\.uint8\)"),
        (np.zeros((4, 5, 2), np.uint8), r"uint8 with shape \(4, 5, 2\)"),
        (np.zeros((3, 4, 5), np.uint8), r"uint8 with shape \(3, 4, 5\)"),
        (np.zeros((3, 4, 5), np.uint8), r"Put the channels last, by image\.transpose\(1, 2, 0\)"),
        (PIL.Image.new("I;16", (5, 4)), "has the mode I;16; expected 8 bits per channel"),
        (PIL.Image.new("F", (5, 4)), "has the mode F; expected 8 bits per channel"),
        (PIL.Image.new("RGB", (0, 4)), "is empty"),
        (np.zeros((1, 4, 5, 3), np.uint8), r"uint8 with shape \(1, 4, 5, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), r"uint8 with shape \(0, 5, 3\)"),
        (np.zeros(12, np.uint8), r"uint8 with shape \(12,\)"),
        (b"", "0 bytes"),
        ([[1, 2], [3, 4]], "of type list"),
        (None, "of type NoneType"),
        (EncodedImage(np.zeros((4, 5, 3), np.uint8)), "of type ndarray"),  # type: ignore[arg-type]
    ],
)
def test_unsuitable_images_are_refused(image: Any, said: str) -> None:
    with pytest.raises(UnsuitableImageError, match=said):
        message_of(image)


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "empty.png"
    path.touch()
    with pytest.raises(UnsuitableImageError, match=r"empty\.png: 0 bytes"):
        message_of(path)


def test_only_the_options_given_are_sent() -> None:
    options = EstimateOptions(min_pose_score=0.0, refine=False, region_of_interest=Box(1, 2, 3, 4))
    sent = estimate_request(b"x", model="w32", options=options)
    assert sent.model == "w32"
    assert {field.name for field, _ in sent.options.ListFields()} == {
        "min_pose_score",
        "refine",
        "region_of_interest",
    }
    box = sent.options.region_of_interest
    assert (box.x_min, box.y_min, box.x_max, box.y_max) == (1, 2, 3, 4)
    assert not estimate_request(b"x", model="", options=None).HasField("options")


def test_a_stream_config_contains_the_settings() -> None:
    config = stream_config(
        model="w32",
        options=EstimateOptions(max_poses=3, flip_test=True),
        delivery=Delivery.LATEST,
        window=2,
        max_frame_age_secs=0.25,
        track=True,
        smoothing=True,
        smoothing_options=SmoothingOptions(min_cutoff_hz=0.5, max_gap_secs=0.125),
    )
    assert (config.model, config.max_frames_in_flight, config.delivery_policy) == ("w32", 2, 2)
    assert config.max_frame_age.ToMilliseconds() == 250
    assert config.track
    assert config.smoothing
    smoothing = config.smoothing_options
    assert [field.name for field, _ in smoothing.ListFields()] == ["min_cutoff_hz", "max_gap"]
    assert (smoothing.min_cutoff_hz, smoothing.max_gap.ToMilliseconds()) == (0.5, 125)
    assert (config.options.max_poses, config.options.flip_test) == (3, True)


def test_a_default_stream_config_leaves_the_settings_to_the_server() -> None:
    config = stream_config(
        model="",
        options=None,
        delivery=Delivery.LOSSLESS,
        window=None,
        max_frame_age_secs=None,
        track=False,
        smoothing=False,
    )
    assert [field.name for field, _ in config.ListFields()] == ["delivery_policy"]
    assert config.delivery_policy == 1


def test_a_timed_image_carries_its_time() -> None:
    timed = frame_request(TimedImage(b"abc", 12.5)).message.frame
    assert timed.capture_time.ToMilliseconds() == 12_500
    assert timed.image.encoded.data == b"abc"
    as_stored = TimedImage(EncodedImage(b"abc", apply_orientation=False), 12.5)
    assert frame_request(as_stored).message.frame.image.encoded.orientation_policy == 1
    assert not frame_request(b"abc").message.frame.HasField("capture_time")
