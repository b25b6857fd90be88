"""Rendered clips: the same people all along, smooth motion, and nothing else that changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from training.renderer import Scene, render_clip

WIDTH, HEIGHT = 240, 136
FRAMES, RATE = 50, 25.0
VISIBLE = 2


def render(seed: int, *, frames: int = FRAMES) -> list[Scene]:
    clip = render_clip((seed,), size=(WIDTH, HEIGHT), frame_count=frames, frames_per_second=RATE)
    return list(clip)


@pytest.fixture(scope="module", params=[1, 4])
def clip(request: pytest.FixtureRequest) -> list[Scene]:
    return render(request.param)


def test_a_clip_has_the_frames_asked_for(clip: list[Scene]) -> None:
    assert len(clip) == FRAMES
    assert {scene.image.shape for scene in clip} == {(HEIGHT, WIDTH, 3)}


def test_a_seed_gives_the_same_clip() -> None:
    for first, second in zip(render(9, frames=3), render(9, frames=3), strict=True):
        np.testing.assert_array_equal(first.image, second.image)
        for before, after in zip(first.people, second.people, strict=True):
            np.testing.assert_array_equal(before.keypoints, after.keypoints)


def test_seeds_give_different_clips() -> None:
    (first,), (second,) = render(9, frames=1), render(10, frames=1)
    assert (first.image != second.image).any()


def test_three_to_five_people_keep_their_identities(clip: list[Scene]) -> None:
    identities = [[person.identity for person in scene.people] for scene in clip]
    assert all(len(frame) == len(set(frame)) for frame in identities)
    assert 2 <= len(set(itertools.chain(*identities))) <= 5
    assert max(len(frame) for frame in identities) >= 2


def test_nobody_jumps_from_one_frame_to_the_next(clip: list[Scene]) -> None:
    largest = 0.0
    for before, after in itertools.pairwise(clip):
        earlier = {person.identity: person for person in before.people}
        for person in after.people:
            if person.identity in earlier:
                step = person.keypoints - earlier[person.identity].keypoints
                largest = max(largest, float(np.linalg.norm(step, axis=1).max()))
    # A runner's foot swings forward at some five body heights a second; people are about 70 pixels.
    assert 0.5 < largest < 5.0 * 90 / RATE


def test_what_nobody_passes_stays_as_it_is(clip: list[Scene]) -> None:
    images = np.stack([scene.image for scene in clip])
    still = (images == images[0]).all(axis=(0, 3))
    moving_rows = np.flatnonzero(~still.all(axis=1))
    assert still.mean() > 0.25
    assert moving_rows.min() > 5, "the sky flickers"


def test_where_a_person_is_seen_the_background_is_not(clip: list[Scene]) -> None:
    """A walking person differs from what the same pixels show at most other times."""
    usual = np.median(np.stack([scene.image for scene in clip]), axis=0)
    starts = {
        person.identity: person.keypoints for scene in reversed(clip) for person in scene.people
    }
    differing = []
    for scene in clip:
        for person in scene.people:
            if np.abs(person.keypoints - starts[person.identity]).max() < 40:
                continue
            x, y = np.rint(person.keypoints[person.visibility == VISIBLE]).astype(int).T
            differing.append(np.abs(scene.image[y, x] - usual[y, x]).max(axis=1) > 8)
    assert np.concatenate(differing).mean() > 0.85


def test_somebody_passes_in_front_of_somebody_else(clip: list[Scene]) -> None:
    overlaps = [
        _overlap(first.box, second.box)
        for scene in clip
        for first, second in itertools.combinations(scene.people, 2)
    ]
    assert any(overlaps)


def _overlap(
    first: tuple[float, float, float, float], second: tuple[float, float, float, float]
) -> bool:
    return all(
        first[axis] < second[axis] + second[axis + 2]
        and second[axis] < first[axis] + first[axis + 2]
        for axis in (0, 1)
    )
