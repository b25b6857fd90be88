from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from posewire_client import Box, Origin, Pose, Skeleton
from posewire_client.drawing import PersonColours, Style, Trails, draw_poses

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
GREY = 128
PLAIN = Style(text=False)
BY_PERSON = Style(color_by="person", text=False)


def pose(
    *,
    origins: list[Origin] | None = None,
    scores: list[float] | None = None,
    at: tuple[float, float] = (0, 0),
    scale: float = 1,
    track_id: int | None = None,
) -> Pose:
    keypoints = np.array(PLACES, np.float32) * scale + np.array(at, np.float32)
    return Pose(
        score=0.5,
        box=Box(*keypoints.min(axis=0).tolist(), *keypoints.max(axis=0).tolist()),
        keypoints=keypoints,
        keypoint_scores=np.array(scores or [0.9] * 5, np.float32),
        origins=np.array(origins or [Origin.DETECTED] * 5, np.uint8),
        track_id=track_id,
    )


def drawn(
    *poses: Pose,
    style: Style = PLAIN,
    size: tuple[int, int] = (100, 100),
    caption: tuple[str, ...] = (),
) -> np.ndarray:
    image = np.full((size[1], size[0], 3), GREY, np.uint8)
    draw_poses(image, poses, SKELETON, style, caption=caption)
    return image


def text_only(*poses: Pose, size: tuple[int, int], style: Style = Style()) -> np.ndarray:
    """Return which pixels the text changes."""
    bare = drawn(*poses, style=replace(style, text=False), size=size)
    return (drawn(*poses, style=style, size=size) != bare).any(axis=2)


def extent(pixels: np.ndarray) -> tuple[int, int]:
    """Return width and height of the box around the pixels."""
    rows, columns = np.nonzero(pixels)
    return int(np.ptp(columns)), int(np.ptp(rows))


def is_untouched(image: np.ndarray, x: int, y: int) -> bool:
    return bool((image[y - 1 : y + 2, x - 1 : x + 2] == GREY).all())


def line_width(image: np.ndarray, x: int, y: int) -> int:
    """Return the number of pixels that are drawn in the row, near a line from top to bottom."""
    half = min(25, x)
    return int((image[y, x - half : x + half] != GREY).any(axis=1).sum())


def test_left_and_right_have_colours_of_their_own() -> None:
    image = drawn(pose())
    assert image[65, 80].argmax() == GREEN
    assert image[65, 20].argmax() == ORANGE
    assert image[40, 50].argmax() not in (GREEN, ORANGE)  # from one side to the other


def test_a_person_has_one_colour_unlike_the_others() -> None:
    colours: list[np.ndarray] = []
    for n in range(12):
        image = drawn(pose(scale=4, track_id=n), style=BY_PERSON, size=(400, 400)).astype(int)
        colour = image[260, 320]
        assert (image[160, 200] == colour).all()
        assert (image[260, 80] == colour).all()
        assert all(abs(colour - other).sum() > 60 for other in colours)
        colours.append(colour)


def test_a_track_keeps_its_colour_in_any_order() -> None:
    here, there = pose(track_id=7), pose(at=(100, 0), track_id=9)
    one = drawn(here, there, style=BY_PERSON, size=(200, 100))
    assert (one == drawn(there, here, style=BY_PERSON, size=(200, 100))).all()
    assert (one[65, 80] != one[65, 180]).any()


def test_colours_can_be_given() -> None:
    image = np.full((100, 200, 3), GREY, np.uint8)
    draw_poses(image, [pose(), pose(at=(100, 0))], SKELETON, BY_PERSON, colors=[3, 3])
    assert (image[65, 80] == image[65, 180]).all()


def test_a_pose_without_a_track_is_grey_among_tracked_ones() -> None:
    image = drawn(pose(track_id=4), pose(at=(100, 0)), style=BY_PERSON, size=(200, 100))
    assert np.ptp(image[65, 80].astype(int)) > 60
    assert np.ptp(image[65, 180].astype(int)) == 0
    assert np.ptp(drawn(pose(), style=BY_PERSON)[65, 80].astype(int)) > 60


def test_the_label_of_a_tracked_person_has_the_id() -> None:
    size = (300, 200)
    plain, tracked = (
        extent(text_only(pose(at=(100, 60), track_id=each), size=size)) for each in (None, 12)
    )
    assert tracked[0] > plain[0] + 10


def trail_pixels(trails: Trails) -> np.ndarray:
    image = np.full((200, 400, 3), GREY, np.uint8)
    trails.draw(image)
    return (image != GREY).any(axis=2)


def test_a_trail_ends_at_the_hips_and_starts_where_the_person_was() -> None:
    trails = Trails(SKELETON, 5)
    for n in range(20):
        trails.add([pose(at=(10 * n, 0), track_id=1)])
    rows, columns = np.nonzero(trail_pixels(trails))
    # The middle of the hips is at (50, 90), 40 pixels from where it was four frames ago.
    assert rows.min() >= 85
    assert rows.max() <= 95
    assert columns.max() == pytest.approx(50 + 190, abs=5)
    assert columns.min() == pytest.approx(50 + 150, abs=5)


def test_a_trail_without_hips_follows_the_box() -> None:
    absent = [Origin.DETECTED] * 3 + [Origin.ABSENT] * 2
    trails = Trails(SKELETON, 5)
    for n in range(3):
        trails.add([pose(at=(10 * n, 0), track_id=1, origins=absent)])
    rows, _ = np.nonzero(trail_pixels(trails))
    assert rows.mean() == pytest.approx(50, abs=3)


def test_a_trail_bridges_frames_without_the_person_and_ends_with_its_time() -> None:
    trails = Trails(SKELETON, 5)
    trails.add([pose(track_id=1)])
    trails.add([])
    trails.add([pose(at=(100, 0), track_id=1)])
    assert trail_pixels(trails)[90, 100]
    for _ in range(5):
        trails.add([])
    assert not trail_pixels(trails).any()


def test_a_pose_without_a_track_has_no_trail() -> None:
    trails = Trails(SKELETON, 5)
    for n in range(3):
        trails.add([pose(at=(10 * n, 0))])
    assert not trail_pixels(trails).any()


@pytest.mark.parametrize("far", [1e30, -1e30])
def test_a_trail_far_outside_of_the_image_is_drawn_without_error(far: float) -> None:
    trails = Trails(SKELETON, 5)
    trails.add([pose(track_id=1)])
    trails.add([pose(at=(far, far), track_id=1)])
    trail_pixels(trails)


def test_trails_of_no_frames_are_rejected() -> None:
    with pytest.raises(ValueError, match="frames: got 0, want at least 1"):
        Trails(SKELETON, 0)


def test_an_absent_keypoint_has_neither_disc_nor_lines() -> None:
    origins = [Origin.DETECTED] * 4 + [Origin.ABSENT]
    image = drawn(pose(origins=origins))
    assert is_untouched(image, 20, 90)
    assert is_untouched(image, 20, 65)
    assert not is_untouched(image, 80, 65)


def test_weak_keypoints_are_hidden() -> None:
    weak = pose(scores=[0.9, 0.9, 0.9, 0.9, 0.05])
    assert is_untouched(drawn(weak), 20, 90)
    assert is_untouched(drawn(weak), 20, 65)
    assert not is_untouched(drawn(weak, style=replace(PLAIN, min_keypoint_score=0.0)), 20, 90)


def test_a_person_without_shown_keypoints_has_no_label() -> None:
    hidden = pose(scores=[0.05] * 5)
    assert (drawn(hidden, style=Style()) == GREY).all()


def test_an_inferred_keypoint_is_hollow() -> None:
    origins = [Origin.DETECTED] * 4 + [Origin.INFERRED]
    big = (400, 400)
    there, guessed = (
        drawn(each, size=big)[360, 80] for each in (pose(scale=4), pose(scale=4, origins=origins))
    )
    assert there.max() > GREY > guessed.max()


def test_the_best_pose_lies_on_top() -> None:
    best, other = pose(), pose(origins=[Origin.INFERRED] * 5)
    assert (drawn(best, other)[90, 20] == drawn(best)[90, 20]).all()


def test_sizes_follow_the_person() -> None:
    size = (1200, 400)
    image = drawn(pose(scale=4), pose(scale=2, at=(500, 0)), pose(at=(900, 0)), size=size)
    widths = [line_width(image, x, y) for x, y in ((80, 260), (500 + 40, 130), (900 + 20, 65))]
    assert widths[0] > widths[1] > widths[2] >= 3
    assert widths[0] < 4 * widths[2]  # more slowly than the person


@pytest.mark.parametrize("scale", [0.5, 2.0, 20.0])
def test_sizes_follow_the_image(scale: float) -> None:
    """So that it looks the same when it is shown at one size."""
    side = round(100 * scale)
    image = drawn(pose(scale=scale), size=(side, side))
    assert 0.01 < line_width(image, round(20 * scale), round(65 * scale)) / side < 0.09


def test_lines_are_smooth() -> None:
    slanted = pose()
    slanted.keypoints[3] = (60, 90)
    assert len(np.unique(drawn(slanted)[50:80, 55:90].reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize("size", [(1, 1), (300, 5), (3, 400), (120, 90), (640, 360), (3840, 2160)])
@pytest.mark.parametrize("style", [Style(), Style(color_by="person")])
def test_any_image_takes_poses_and_text(size: tuple[int, int], style: Style) -> None:
    scale = max(size) / 200
    image = drawn(
        pose(scale=scale), style=style, size=size, caption=("frame 1: 3 people", "late \u00e9")
    )
    assert image.shape == (size[1], size[0], 3)
    assert (image != GREY).any()


@pytest.mark.parametrize("far", [(-4000, 1e6), (1e30, -1e30), (99.4, 99.4)])
def test_a_keypoint_outside_of_the_image_is_no_trouble(far: tuple[float, float]) -> None:
    moved = pose()
    moved.keypoints[1] = far
    image = drawn(moved, style=Style())
    assert not is_untouched(image, 20, 65)


@pytest.mark.parametrize("size", [(120, 90), (640, 360), (3840, 2160)])
def test_a_label_is_whole_at_every_border(size: tuple[int, int]) -> None:
    scale = size[1] / 200
    middle = np.array(size) / 2 - 50 * scale
    whole = extent(text_only(pose(scale=scale, at=tuple(middle)), size=size))
    sides = [*product((-1, 0, 1), repeat=2)] if size[0] < 1000 else [(-1, -1), (1, 1)]
    for x, y in sides:
        # Half of the person is outside, on the sides that x and y name.
        at = tuple(middle + np.array(size) * (x, y) / 2)
        label = extent(text_only(pose(scale=scale, at=at), size=size))
        # What is covered may have its colour by chance.
        assert all(have >= want - 2 for have, want in zip(label, whole, strict=True)), (x, y)


def test_a_person_outside_of_the_image_has_no_label() -> None:
    assert not text_only(pose(at=(100, 0)), size=(100, 100)).any()


def test_labels_avoid_each_other_and_the_caption() -> None:
    size = (400, 300)
    crowd = [pose(at=(12 * n, 8 * n)) for n in range(8)]
    alone = [int(text_only(each, size=size).sum()) for each in crowd]
    style = Style(color_by="person")
    image = drawn(*crowd, style=style, size=size, caption=("frame 1: 8 people",))
    bare = drawn(*crowd, style=replace(style, text=False), size=size)
    caption = (drawn(style=style, size=size, caption=("frame 1: 8 people",)) != GREY).any(axis=2)
    written = (image != bare).any(axis=2)
    assert caption[:10, :40].any()
    # Labels that overlapped would leave fewer pixels.
    assert written[~caption].sum() > 0.9 * sum(alone)


def test_a_style_without_text_has_neither_scores_nor_caption() -> None:
    assert (drawn(style=PLAIN, caption=("frame 1",)) == GREY).all()
    assert text_only(pose(), size=(100, 100)).any()


def test_a_caption_is_in_the_top_left_corner() -> None:
    image = drawn(style=Style(), size=(200, 100), caption=("hello",))
    assert (image[:8, :20] != GREY).any()
    assert (image[40:] == GREY).all()
    assert (image[:, 100:] == GREY).all()


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (np.zeros((9, 9), np.uint8), r"got shape \(9, 9\) of uint8"),
        (np.zeros((9, 9, 3), np.float32), "of float32"),
        (np.zeros((9, 9, 4), np.uint8), "want .height, width, 3."),
        (np.zeros((9, 18, 3), np.uint8)[:, ::2], "not contiguous"),
        (np.broadcast_to(np.uint8(1), (9, 9, 3)), "read-only or not contiguous"),
    ],
)
def test_an_array_that_cannot_be_drawn_into_is_rejected(image: np.ndarray, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        draw_poses(image, [pose()], SKELETON)


def test_people_keep_their_colours_from_frame_to_frame() -> None:
    people = PersonColours()
    left, right = pose(), pose(at=(200, 0))
    assert people.assign([left, right]) == [0, 1]
    # The order is that of the scores, which changes.
    assert people.assign([pose(at=(205, 3)), pose(at=(4, 3))]) == [1, 0]
    newcomer = pose(at=(400, 0))
    assert people.assign([newcomer, pose(at=(8, 3)), pose(at=(210, 3))]) == [2, 0, 1]


def test_a_person_who_is_missed_for_some_frames_keeps_the_colour() -> None:
    people = PersonColours()
    people.assign([pose(), pose(at=(200, 0))])
    for _ in range(5):
        assert people.assign([pose(at=(200, 0))]) == [1]
    assert people.assign([pose(), pose(at=(200, 0))]) == [0, 1]
    for _ in range(50):
        people.assign([])
    assert people.assign([pose(at=(200, 0))]) == [0]


def test_the_number_of_a_tracked_person_is_the_track() -> None:
    people = PersonColours()
    assert people.assign([pose(track_id=5), pose(at=(200, 0))]) == [5, 0]
    assert people.assign([pose(at=(200, 0)), pose(track_id=6)]) == [0, 6]


def test_people_who_are_remembered_are_bounded() -> None:
    people = PersonColours()
    numbers = [people.assign([pose(at=(1000 * n, 0))])[0] for n in range(300)]
    assert max(numbers) < 20
