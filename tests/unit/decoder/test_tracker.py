"""What a tracker promises: ids that last, and none without a person."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire_decoder import Origin, Tracker, TrackerOptions, sample_colours

K = 4
CORNERS = np.array([[0, 0], [30, 0], [0, 90], [30, 90]], np.float32)
OPTIONS = TrackerOptions(oks_sigmas=[0.08] * K)
RED, BLUE = (20, 20, 220), (220, 20, 20)


class Frames:
    """Feeds a tracker with people at the given places, best first."""

    def __init__(self, options: TrackerOptions = OPTIONS) -> None:
        self.tracker = Tracker(options)

    def __call__(
        self,
        secs: float,
        places: list[tuple[float, float]],
        *,
        scores: list[float] | None = None,
        colours: list[tuple[int, int, int]] | None = None,
    ) -> list[int]:
        count = len(places)
        origins = np.array(places, np.float32).reshape(count, 1, 2)
        sampled = None
        if colours is not None:
            sampled = np.ones((count, 2, 4), np.float32)
            sampled[..., :3] = np.array(colours).reshape(count, 1, 3)
        return self.tracker.update(
            secs,
            CORNERS + origins,
            np.full((count, K), 0.8, np.float32),
            np.full((count, K), Origin.DETECTED, np.uint8),
            np.array(scores or [0.8] * count, np.float32),
            sampled,
        ).tolist()


def test_people_keep_their_ids_from_one_on() -> None:
    update = Frames()
    assert update(0, [(0, 0), (200, 0)]) == [1, 2]
    assert update(0.04, [(203, 0), (2, 0)]) == [2, 1]
    assert update(0.08, []) == []
    assert update(0.12, [(6, 0), (400, 0), (209, 0)]) == [1, 3, 2]


def test_an_uncertain_pose_is_confirmed_by_the_next_one() -> None:
    update = Frames()
    assert update(0, [(0, 0)], scores=[0.45]) == [0]
    assert update(0.04, [(1, 0)], scores=[0.45]) == [1]
    assert update(0.08, [(2, 0), (200, 0)], scores=[0.45, 0.3]) == [1, 0]
    assert update(0.12, [(3, 0), (200, 0)], scores=[0.45, 0.3]) == [1, 0], "0.3 begins no track"


def test_a_weak_pose_continues_a_track() -> None:
    update = Frames()
    update(0, [(0, 0)])
    assert update(0.04, [(1, 0)], scores=[0.15]) == [1]
    assert update(0.08, [(2, 0)], scores=[0.1]) == [0], "below low_score"


def test_a_weak_duplicate_of_a_tracked_person_begins_no_track() -> None:
    update = Frames()
    update(0, [(0, 0)])
    for secs in (0.04, 0.08, 0.12):
        assert update(secs, [(1, 0), (9, 5)], scores=[0.8, 0.6]) == [1, 0]


def test_people_who_cross_are_told_apart_by_their_way() -> None:
    update = Frames()
    for frame in range(40):
        places = [(6.0 * frame, 0.0), (240 - 6.0 * frame, 0.0)]
        if 18 <= frame <= 22:
            assert update(frame / 25, [places[0]]) in ([1], [2])  # one hides the other
        else:
            ids = update(frame / 25, places)
    assert ids == [1, 2]


@pytest.mark.parametrize("coloured", [True, False])
def test_people_who_turn_back_behind_each_other_are_told_apart_by_colours(coloured: bool) -> None:
    update = Frames()
    for frame in range(41):
        gap = 3.0 * abs(20 - frame)
        colours = [RED, BLUE] if coloured else None
        if 15 <= frame <= 25:
            update(frame / 25, [])
            continue
        # They meet in the middle, and each goes back to where they came from.
        ids = update(frame / 25, [(100 - gap, 0), (100 + gap, 0)], colours=colours)
    assert (ids == [1, 2]) == coloured


def test_tracks_wait_by_time_and_not_by_frames() -> None:
    for pause, same in ((1.9, True), (2.1, False)):
        for frames in (1, 60):
            update = Frames()
            update(0, [(0, 0)])
            update(0.04, [(0, 0)])
            for frame in range(frames):
                update(0.04 + pause * (frame + 0.5) / frames, [])
            assert update(0.04 + pause, [(0, 0)]) == [1 if same else 2]


@pytest.mark.parametrize("step", [0.01, 0.04, 0.4])
def test_motion_is_measured_in_time(step: float) -> None:
    """60 pixels are two body widths: too far for anybody who was not on the way."""
    update = Frames()
    for frame in range(6):
        assert update(frame * step, [(15.0 * frame, 0)]) == [1]
    assert update(5 * step + 4 * step, [(75 + 60, 0)]) == [1]


def test_a_clock_that_steps_back_stands_still() -> None:
    update = Frames()
    update(1000, [(0, 0)])
    assert update(3, [(1, 0)]) == [1]
    assert update(3.04, [(2, 0)]) == [1]
    assert update(6, [(3, 0)]) == [2], "and goes on from there"


def test_ids_are_never_reused() -> None:
    update = Frames(TrackerOptions(oks_sigmas=[0.08] * K, max_tracks=2))
    seen: list[int] = []
    for frame in range(30):
        ids = update(10.0 * frame, [(500.0 * n, 0) for n in range(3)])
        assert not set(ids) & set(seen)
        seen += ids
    assert seen == list(range(1, 91))


def test_a_restored_tracker_goes_on() -> None:
    update = Frames()
    for frame in range(10):
        update(frame / 25, [(4.0 * frame, 0), (500, 0)], colours=[RED, BLUE])
    state = update.tracker.save(max_tracks=9)
    other = Frames()
    other.tracker.restore(state)
    places = [(500, 0), (44, 0), (900, 0)]
    assert other(11 / 25, places, colours=[BLUE, RED, RED]) == [2, 1, 3]
    assert Tracker(OPTIONS).save(max_tracks=9) != state
    assert len(state) < 1000


def test_a_state_has_the_tracks_seen_last() -> None:
    update = Frames()
    update(0, [(0, 0)])
    update(0.04, [(500, 0)])
    other = Frames()
    other.tracker.restore(update.tracker.save(max_tracks=1))
    assert other(0.08, [(0, 0), (500, 0)]) == [3, 2]


def test_what_save_did_not_return_is_refused() -> None:
    update = Frames()
    update(0, [(0, 0)], colours=[RED])
    state = update.tracker.save(max_tracks=9)
    fresh = Tracker(OPTIONS)
    for length in range(len(state)):
        with pytest.raises(ValueError, match=r"^state: got"):
            fresh.restore(state[:length])
    for damaged in (state + b"x", b"\2" + state[1:], state[:4] + bytes(4) + state[8:]):
        with pytest.raises(ValueError, match=r"^state: got"):
            fresh.restore(damaged)
    with pytest.raises(ValueError, match=r"^state: got 4 keypoints, want 5"):
        Tracker(TrackerOptions(oks_sigmas=[0.1] * 5)).restore(state)
    rng = np.random.default_rng(5)
    for _ in range(300):
        noise = bytearray(state)
        for place in rng.integers(len(noise), size=3):
            noise[place] = rng.integers(256)
        try:
            fresh.restore(bytes(noise))
        except ValueError:
            continue
        fresh.update(1.0, *poses().values())


def test_numbers_beyond_all_measure_do_no_harm() -> None:
    update = Frames()
    update(0, [(0, 0)])
    for wrong in (np.nan, np.inf, -np.inf, 3e38):
        update(0.04, [(wrong, 0), (0, wrong)], colours=[RED, (10**9, 0, 0)])
    assert update(0.08, [(0, 0)]) == [1]


def poses(count: int = 2) -> dict[str, Any]:
    return {
        "keypoints": np.zeros((count, K, 2), np.float32),
        "keypoint_scores": np.ones((count, K), np.float32),
        "origins": np.full((count, K), Origin.DETECTED, np.uint8),
        "scores": np.ones(count, np.float32),
    }


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("secs", float("nan"), "secs: got nan, want a finite number"),
        ("keypoints", np.zeros((2, 5, 2), np.float32), "keypoint_scores: got shape (2, 4), want"),
        ("scores", np.ones(3, np.float32), "scores: got shape (3,), want (2,)"),
        ("colours", np.ones((2, 8), np.float32), "colours: got shape (2, 8), want (2, R, 4)"),
        ("colours", np.ones((2, 0, 4), np.float32), "colours: got 0, want from 1 to 255 regions"),
    ],
)
def test_what_does_not_fit_is_a_value_error(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        Tracker(OPTIONS).update(**{"secs": 0.0, **poses(), name: value})


def test_a_tracker_has_one_number_of_keypoints_and_of_regions() -> None:
    tracker = Tracker(OPTIONS)
    tracker.update(0.0, *poses().values(), np.ones((2, 3, 4), np.float32))
    with pytest.raises(ValueError, match=r"^colours: got 2, want 3 regions as before"):
        tracker.update(0.0, *poses().values(), np.ones((2, 2, 4), np.float32))
    with pytest.raises(ValueError, match=r"^keypoints: got 4, want 5, one per OKS sigma"):
        Tracker(TrackerOptions(oks_sigmas=[0.1] * 5)).update(0.0, *poses().values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"oks_sigmas": []}, "oks_sigmas: got 0, want at least 1"),
        ({"oks_sigmas": [0.0]}, "oks_sigmas: got 0, want finite numbers above 0"),
        ({"high_score": 1.5}, "high_score: got 1.5, want a score in [0, 1]"),
        ({"low_score": 0.5}, "low_score: got 0.5, want a score of at most high_score"),
        ({"new_score": 0.1}, "new_score: got 0.1, want a score of at least high_score"),
        ({"sure_score": -1.0}, "sure_score: got -1, want at least 0"),
        ({"confirm_hits": 0}, "confirm_hits: got 0, want at least 1"),
        ({"max_lost_secs": float("inf")}, "max_lost_secs: got inf, want a finite number"),
        ({"max_tracks": 0}, "max_tracks: got 0, want from 1 to 1000"),
        ({"colour_weight": 2.0}, "colour_weight: got 2, want a number in [0, 1]"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        Tracker(TrackerOptions(**{"oks_sigmas": [0.1], **options}))


def image() -> NDArray[np.uint8]:
    """Two fields, blue at the left and red at the right, in the middle of a larger array."""
    canvas = np.zeros((60, 80, 3), np.uint8)
    canvas[10:50, 10:40] = (200, 0, 0)
    canvas[10:50, 40:70] = (0, 0, 100)
    return canvas[10:50, 10:70]


def sample(keypoints: list[tuple[float, float]], *, absent: tuple[int, ...] = ()) -> list[Any]:
    origins = np.full((1, len(keypoints)), Origin.DETECTED, np.uint8)
    origins[0, list(absent)] = Origin.ABSENT
    regions = [[(0, 1, 0.0), (0, 1, 1.0)], [(1, 1, 0.5)]]
    scores = np.ones((1, len(keypoints)), np.float32)
    return sample_colours(
        image(), np.array([keypoints], np.float32), scores, origins, regions
    ).tolist()[0]


def test_colours_are_means_over_the_points_of_a_region() -> None:
    assert sample([(10, 10), (50, 20)]) == [[100, 0, 50, 1], [0, 0, 100, 1]]


def test_points_outside_or_without_keypoints_have_no_colour() -> None:
    nothing = [0, 0, 0, 0]
    assert sample([(10, 10), (200, 20)]) == [[200, 0, 0, 0.5], nothing]
    assert sample([(10, 10), (50, 20)], absent=(0,)) == [nothing, [0, 0, 100, 1]]
    for wrong in (np.nan, np.inf, -1e30, 0.4, 58.5):
        assert sample([(wrong, 10), (wrong, 10)]) == [nothing, nothing]


def test_regions_name_keypoints_that_are_there() -> None:
    arguments = [*poses().values()][:3]
    with pytest.raises(ValueError, match=r"^regions: got keypoints 0 and 9, want numbers below 4"):
        sample_colours(image(), *arguments, [[(0, 9, 0.5)]])
    with pytest.raises(ValueError, match=r"^image: got shape"):
        sample_colours(image()[..., 0], *arguments, [])
    with pytest.raises(TypeError, match=r"^image: got list"):
        sample_colours([[1]], *arguments, [])  # type: ignore[arg-type]
