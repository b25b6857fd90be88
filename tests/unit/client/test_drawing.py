from __future__ import annotations

import numpy as np
import pytest

from posewire_client import Box, Origin, Pose, Skeleton
from posewire_client.drawing import Style, draw_caption, draw_poses

# A shoulder and a hip of each side, and a nose.
SKELETON = Skeleton(
    keypoint_names=("nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    oks_sigmas=(0.1,) * 5,
    edges=((1, 3), (2, 4), (1, 2)),
    flip_pairs=((1, 2), (3, 4)),
)
# The person's left is on the right of the picture.
PLACES = [(50, 10), (80, 40), (20, 40), (80, 90), (20, 90)]
GREEN, ORANGE = 1, 2  # the channel in which a side's colour is strongest


def pose(*, origins: list[Origin] | None = None, scores: list[float] | None = None) -> Pose:
    return Pose(
        score=0.5,
        box=Box(20, 10, 80, 90),
        keypoints=np.array(PLACES, np.float32),
        keypoint_scores=np.array(scores or [0.9] * 5, np.float32),
        origins=np.array(origins or [Origin.DETECTED] * 5, np.uint8),
        track_id=None,
    )


def drawn(*poses: Pose, min_keypoint_score: float = 0.1) -> np.ndarray:
    image = np.full((100, 100, 3), 128, np.uint8)
    style = Style.for_image(image, min_keypoint_score=min_keypoint_score)
    draw_poses(image, poses, SKELETON, style)
    return image


def is_untouched(image: np.ndarray, x: int, y: int) -> bool:
    return bool((image[y - 1 : y + 2, x - 1 : x + 2] == 128).all())


def test_left_and_right_have_colours_of_their_own() -> None:
    image = drawn(pose())
    assert image[65, 80].argmax() == GREEN
    assert image[65, 20].argmax() == ORANGE
    assert image[40, 50].argmax() not in (GREEN, ORANGE)  # from one side to the other


def test_an_absent_keypoint_has_neither_disc_nor_lines() -> None:
    origins = [Origin.DETECTED] * 4 + [Origin.ABSENT]
    image = drawn(pose(origins=origins))
    assert is_untouched(image, 20, 90)
    assert is_untouched(image, 20, 65)
    assert not is_untouched(image, 80, 65)


def test_weak_keypoints_are_hidden() -> None:
    scores = [0.9, 0.9, 0.9, 0.9, 0.05]
    assert is_untouched(drawn(pose(scores=scores)), 20, 90)
    assert not is_untouched(drawn(pose(scores=scores), min_keypoint_score=0.0), 20, 90)


def test_an_inferred_keypoint_is_hollow() -> None:
    origins = [Origin.DETECTED] * 4 + [Origin.INFERRED]
    there, guessed = drawn(pose())[90, 20], drawn(pose(origins=origins))[90, 20]
    assert there.max() > 128 > guessed.max()


def test_the_best_pose_lies_on_top() -> None:
    best, other = pose(), pose(origins=[Origin.INFERRED] * 5)
    assert (drawn(best, other)[90, 20] == drawn(best)[90, 20]).all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 300, 3), (400, 3, 3), (3000, 4000, 3)])
def test_any_image_takes_poses_and_text(shape: tuple[int, int, int]) -> None:
    image = np.zeros(shape, np.uint8)
    style = Style.for_image(image)
    draw_poses(image, [pose()], SKELETON, style)
    draw_caption(image, ["frame 1: 3 people", "inference 12.0 ms"], style)
    assert image.shape == shape


def test_a_keypoint_outside_of_the_image_is_no_trouble() -> None:
    far = pose()
    keypoints = far.keypoints.copy()
    keypoints[1] = (-4000, 1e6)
    moved = Pose(
        score=far.score,
        box=far.box,
        keypoints=keypoints,
        keypoint_scores=far.keypoint_scores,
        origins=far.origins,
        track_id=None,
    )
    assert not is_untouched(drawn(moved), 20, 65)


def test_a_caption_is_in_the_top_left_corner() -> None:
    image = np.full((100, 200, 3), 128, np.uint8)
    draw_caption(image, ["hello"], Style.for_image(image))
    assert (image[:12, :20] != 128).any()
    assert (image[40:] == 128).all()
    assert (image[:, 100:] == 128).all()
