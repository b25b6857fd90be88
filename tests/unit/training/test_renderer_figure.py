"""One figure at a time: its sides, its keypoints on its body, and what hides them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from training.renderer.canvas import OCCLUDER, Canvas, fixed_point
from training.renderer.crowd import Shape, draw_crowd, take_shape
from training.renderer.gait import run, walk
from training.renderer.light import draw_light
from training.renderer.painter import Painter
from training.renderer.parts import Part, part_depths
from training.renderer.placement import Placement
from training.renderer.posture import posture
from training.renderer.truth import Sighting, sight

SIDE = 200
MAGENTA = (255, 0, 255)
HIDDEN, VISIBLE = 1, 2
FACING_CAMERA, FACING_AWAY, FACING_RIGHT = 0.0, math.pi, math.pi / 2
NOSE, LEFT_EYE, LEFT_EAR, RIGHT_EAR = 0, 1, 3, 4
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 5, 6, 11, 12

Floats = NDArray[np.float64]


def paint(angles: Floats, *, seed: int = 3) -> tuple[Canvas, Shape, Placement]:
    """A figure of 150 pixels in the middle of a magenta picture."""
    rng = np.random.default_rng(seed)
    light = draw_light(rng)
    crowd = draw_crowd(rng, 1, light)
    shape = take_shape(crowd.build, angles[None], camera_pitch=0.0)
    placement = Placement(scales=np.array([150.0]), pelvises=np.array([[100.0, 100.0]]))
    canvas = Canvas(
        image=np.full((SIDE, SIDE, 3), MAGENTA, np.uint8), truth=np.zeros((SIDE, SIDE), np.uint16)
    )
    Painter(crowd, shape, placement, light).paint(canvas, 0)
    return canvas, shape, placement


def look_at(angles: Floats, *, seed: int = 3) -> Sighting:
    canvas, shape, placement = paint(angles, seed=seed)
    return sight(canvas.truth, shape, placement)[0]


@pytest.mark.parametrize("seed", range(4))
def test_the_left_of_who_faces_the_camera_is_the_right_of_the_picture(seed: int) -> None:
    keypoints = look_at(posture(), seed=seed).person.keypoints
    left, right = keypoints[1::2], keypoints[2::2]
    assert (left[:, 0] > right[:, 0]).all()


def test_who_faces_away_has_left_on_the_left_and_no_face() -> None:
    person = look_at(posture(root=(0.0, 0.0, FACING_AWAY))).person
    assert person.keypoints[LEFT_SHOULDER, 0] < person.keypoints[RIGHT_SHOULDER, 0]
    assert person.visibility[[NOSE, LEFT_EYE]].tolist() == [0, 0]


def test_who_faces_right_looks_right_and_hides_the_far_side() -> None:
    person = look_at(posture(root=(0.0, 0.0, FACING_RIGHT))).person
    assert person.keypoints[NOSE, 0] > person.keypoints[RIGHT_EAR, 0] + 5
    assert person.visibility[[LEFT_SHOULDER, LEFT_HIP]].tolist() == [HIDDEN, HIDDEN]
    assert person.visibility[LEFT_EAR] == 0
    assert person.visibility[RIGHT_EAR] == VISIBLE


@pytest.mark.parametrize("yaw", np.linspace(-math.pi, math.pi, 9).tolist())
@pytest.mark.parametrize("phase", [0.3, 2.0, 4.4])
def test_visible_keypoints_are_on_painted_pixels(yaw: float, phase: float) -> None:
    canvas, shape, placement = paint(run(phase, root=(0.0, 0.0, yaw)))
    person = sight(canvas.truth, shape, placement)[0].person
    x, y = np.rint(person.keypoints[person.visibility == VISIBLE]).astype(int).T
    assert len(x) >= 9
    assert (canvas.image[y, x] != np.array(MAGENTA)).any(axis=1).all()


def test_the_map_claims_what_the_picture_shows() -> None:
    canvas, _, _ = paint(walk(1.0, root=(0.0, 0.0, 0.6)))
    painted = (canvas.image != np.array(MAGENTA)).any(axis=2)
    differing = painted != (canvas.truth > 0)
    # Soft edges are as wide as a pixel, hard ones have no width.
    assert differing.sum() < 0.15 * painted.sum()


def test_something_in_front_takes_keypoints_away() -> None:
    canvas, shape, placement = paint(posture())
    below_the_waist = np.array([[0.0, 90.0], [SIDE, 90.0], [SIDE, SIDE], [0.0, SIDE]])
    canvas.claim(fixed_point(below_the_waist), OCCLUDER)
    visibility = sight(canvas.truth, shape, placement)[0].person.visibility
    assert (visibility[11:] != VISIBLE).all()
    assert (visibility[13:] == 0).all()
    assert (visibility[:7] == VISIBLE).all()


def test_a_figure_out_of_the_picture_is_not_recognisable() -> None:
    canvas, shape, _ = paint(posture())
    canvas.truth[:] = 0
    elsewhere = Placement(scales=np.array([150.0]), pelvises=np.array([[-500.0, 100.0]]))
    sighting = sight(canvas.truth, shape, elsewhere)[0]
    assert not sighting.is_recognisable
    assert sighting.person.visible_area == 0


def test_a_thigh_is_never_over_the_trunk_but_its_lap_is() -> None:
    crowd = draw_crowd(np.random.default_rng(1), 1, draw_light(np.random.default_rng(2)))
    for raised in np.linspace(0.0, 1.6, 9):
        leg = (float(raised), 0.0, 0.0, 0.5, 0.0)
        shape = take_shape(crowd.build, posture(left_leg=leg)[None], camera_pitch=0.0)
        depths = part_depths(shape.flesh)[0]
        assert depths[Part.THIGH_L] < depths[Part.TORSO] < depths[Part.LAP_L]


def test_a_lap_grows_from_nothing_as_the_thigh_rises() -> None:
    crowd = draw_crowd(np.random.default_rng(1), 1, draw_light(np.random.default_rng(2)))
    lengths = []
    for raised in np.linspace(0.0, 1.5, 16):
        leg = (float(raised), 0.0, 0.0, 0.5, 0.0)
        flesh = take_shape(crowd.build, posture(left_leg=leg)[None], camera_pitch=0.0).flesh
        start, radius = flesh.sphere("lap_start_l")
        end, _ = flesh.sphere("lap_end_l")
        lengths.append(float(np.linalg.norm(start - end) + radius[0]))
    assert lengths[0] < 0.01
    assert lengths[-1] > 0.15
    assert np.abs(np.diff(lengths)).max() < 0.12
