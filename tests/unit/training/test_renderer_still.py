"""Rendered stills: the same seed gives the same scene, and the truth is what is in the picture."""

from __future__ import annotations

import numpy as np
import pytest

from training.renderer import Scene, render_still

SEEDS = [(20, number) for number in range(40)]
NOT_LABELLED, HIDDEN, VISIBLE = 0, 1, 2
LEFT_EYE, RIGHT_EYE, LEFT_EAR, RIGHT_EAR = 1, 2, 3, 4


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [render_still(seed) for seed in SEEDS]


def test_a_seed_gives_the_same_scene_whatever_was_rendered_before(scenes: list[Scene]) -> None:
    for seed, scene in reversed(list(zip(SEEDS[:8], scenes, strict=False))):
        again = render_still(seed)
        np.testing.assert_array_equal(again.image, scene.image)
        assert len(again.people) == len(scene.people)
        for person, before in zip(again.people, scene.people, strict=True):
            np.testing.assert_array_equal(person.keypoints, before.keypoints)
            np.testing.assert_array_equal(person.visibility, before.visibility)
            assert (person.identity, person.box, person.visible_area) == (
                before.identity,
                before.box,
                before.visible_area,
            )


def test_seeds_give_different_scenes(scenes: list[Scene]) -> None:
    assert len({scene.image.tobytes() for scene in scenes}) == len(scenes)


def test_a_number_is_a_seed_too() -> None:
    np.testing.assert_array_equal(render_still(7).image, render_still((7,)).image)


@pytest.mark.parametrize(("size", "shape"), [(96, (96, 96, 3)), ((160, 96), (96, 160, 3))])
def test_the_picture_has_the_size_asked_for(
    size: int | tuple[int, int], shape: tuple[int, int, int]
) -> None:
    for number in range(4):
        scene = render_still((21, number), size=size)
        assert scene.image.shape == shape
        assert scene.image.dtype == np.uint8
        height, width, _ = shape
        for person in scene.people:
            labelled = person.keypoints[person.visibility > NOT_LABELLED]
            assert (labelled >= -0.5).all()
            assert (labelled <= np.array([width, height]) - 0.5).all()


def test_scenes_hold_none_to_eight_people_numbered_in_order() -> None:
    counts = set()
    for number in range(150):
        people = render_still((22, number), size=64).people
        counts.add(len(people))
        assert [person.identity for person in people] == list(range(len(people)))
    assert {0, 1, 2, 3, 4, 5, 6} <= counts <= set(range(9))


def test_keypoints_are_complete_and_finite(scenes: list[Scene]) -> None:
    for scene in scenes:
        for person in scene.people:
            assert person.keypoints.shape == (17, 2)
            assert np.isfinite(person.keypoints).all()
            assert person.visibility.shape == (17,)
            assert set(person.visibility.tolist()) <= {NOT_LABELLED, HIDDEN, VISIBLE}


def test_visible_keypoints_lie_in_the_box_of_their_person(scenes: list[Scene]) -> None:
    for scene in scenes:
        for person in scene.people:
            visible = person.keypoints[person.visibility == VISIBLE]
            x, y, width, height = person.box
            assert len(visible) >= 3
            assert (visible >= np.array([x, y]) - 0.5).all()
            assert (visible <= np.array([x + width, y + height]) - 0.5).all()


def test_boxes_lie_in_the_picture_and_hold_the_visible_area(scenes: list[Scene]) -> None:
    for scene in scenes:
        for person in scene.people:
            x, y, width, height = person.box
            assert min(x, y) >= 0
            assert max(x + width, y + height) <= 256
            assert 40 <= person.visible_area <= width * height


def test_most_keypoints_of_a_crowd_are_visible(scenes: list[Scene]) -> None:
    visibility = np.concatenate([person.visibility for scene in scenes for person in scene.people])
    assert np.mean(visibility == VISIBLE) > 0.6
    assert np.mean(visibility == HIDDEN) > 0.03


def test_upright_faces_have_their_left_on_the_right_of_the_picture(scenes: list[Scene]) -> None:
    faces = [
        person.keypoints
        for scene in scenes
        for person in scene.people
        if (person.visibility[:5] == VISIBLE).all()
        and person.keypoints[0, 1] < person.keypoints[[11, 12], 1].min()
        and abs(person.keypoints[5, 1] - person.keypoints[6, 1]) < 5
    ]
    assert len(faces) > 10
    for face in faces:
        assert face[LEFT_EYE, 0] > face[RIGHT_EYE, 0]
        assert face[LEFT_EAR, 0] > face[RIGHT_EAR, 0]
