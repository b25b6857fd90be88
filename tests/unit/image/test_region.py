from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posewire.v1 import pose_pb2
from posewire_server.geometry import Size
from posewire_server.image.errors import InvalidRegionError
from posewire_server.image.region import PixelBox, RegionOfInterest, region_from_proto

FRAME = Size(40, 30)


def region(x_min: float, y_min: float, x_max: float, y_max: float) -> RegionOfInterest:
    return region_from_proto(pose_pb2.Box(x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max))


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ((0, 0, 39, 29), PixelBox(0, 0, 40, 30)),
        ((10, 5, 19, 24), PixelBox(10, 5, 10, 20)),
        ((9.5, 4.1, 19.9, 24.5), PixelBox(10, 5, 10, 20)),
        ((7, 8, 7, 8), PixelBox(7, 8, 1, 1)),
        ((-1e30, -7.5, 1e30, 3), PixelBox(0, 0, 40, 4)),
        ((39, 29, 50, 50), PixelBox(39, 29, 1, 1)),
        ((-5, -5, 0, 0), PixelBox(0, 0, 1, 1)),
    ],
    ids=str,
)
def test_pixels_count_whose_centres_are_inside_or_on_the_edge(
    box: tuple[float, float, float, float], pixels: PixelBox
) -> None:
    assert region(*box).within(FRAME) == pixels
    assert pixels.size == (pixels.width, pixels.height)


@pytest.mark.parametrize(
    "box",
    [(40, 0, 50, 29), (0, 29.5, 39, 40), (-9, 0, -0.5, 29), (3.2, 0, 3.8, 29), (0, 7.1, 39, 7.9)],
    ids=["right", "below", "left", "between columns", "between rows"],
)
def test_at_least_one_pixel_must_remain(box: tuple[float, float, float, float]) -> None:
    asked = region(*box)
    with pytest.raises(InvalidRegionError, match=r"want a box around .* of 40x30") as caught:
        asked.within(FRAME)
    assert caught.value.violations[0].field == "options.region_of_interest"
    assert caught.value.reason == "FIELD_INVALID"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["x_min", "y_min", "x_max", "y_max"])
def test_sides_are_finite(side: str, value: float) -> None:
    box = pose_pb2.Box(x_min=1, y_min=2, x_max=3, y_max=4)
    setattr(box, side, value)
    with pytest.raises(InvalidRegionError, match="want a finite number") as caught:
        region_from_proto(box)
    assert caught.value.violations[0].field == f"options.region_of_interest.{side}"
    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.metadata["got"] == f"{value:g}"


@pytest.mark.parametrize(
    ("box", "side"), [((3, 0, 2.5, 9), "x_max"), ((0, 3, 9, 2.5), "y_max")], ids=["x", "y"]
)
def test_no_side_ends_before_it_begins(box: tuple[float, float, float, float], side: str) -> None:
    with pytest.raises(InvalidRegionError, match=r"got 2\.5, want at least [xy]_min, 3") as caught:
        region(*box)
    assert caught.value.violations[0].field == f"options.region_of_interest.{side}"


SIDES = st.floats(-60, 60, width=32)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(x=st.tuples(SIDES, SIDES).map(sorted), y=st.tuples(SIDES, SIDES).map(sorted))
def test_the_pixels_are_those_that_a_search_finds(x: list[float], y: list[float]) -> None:
    columns = [each for each in range(FRAME.width) if x[0] <= each <= x[1]]
    rows = [each for each in range(FRAME.height) if y[0] <= each <= y[1]]
    asked = region(x[0], y[0], x[1], y[1])
    if columns and rows:
        wanted = PixelBox(columns[0], rows[0], len(columns), len(rows))
        assert asked.within(FRAME) == wanted
    else:
        with pytest.raises(InvalidRegionError):
            asked.within(FRAME)
