"""The compiled decoders return what the readable ones return, to the last bit.

Hypothesis draws a seed and what the maps shall have; NumPy fills them, which is faster than drawing
every cell. Where the environment variable CI is set, Hypothesis draws the same examples every time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from posewire_decoder import DecoderOptions, ReferenceOptions
from tests.reference import decoder as oracle
from tests.reference.comparison import assert_identical
from tests.reference.modes import Options, decoder_for, options_for
from tests.reference.painting import Evidence, Noise, paint, suppress_non_maxima
from tests.reference.scenes import KINDS, Kind, scene

Floats = NDArray[np.float32]
T = TypeVar("T")

exploring = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a network output has; `seed` decides the rest."""

    seed: int
    keypoints: int
    height: int
    width: int
    tag_length: int
    people: int
    tag_gap: float
    heat_noise: float
    signs: str
    heat_levels: int
    tag_levels: int
    heat_scale: float
    tag_scale: float
    broken_heat: float
    broken_tags: float


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    return st.sampled_from([usual] * 6 + list(others))


def drawn_contents() -> st.SearchStrategy[Content]:
    sides = st.one_of(st.integers(20, 40), st.integers(1, 40))
    return st.builds(
        Content,
        seed=st.integers(0, 2**32 - 1),
        keypoints=st.integers(1, 5),
        height=sides,
        width=sides,
        tag_length=st.integers(1, 2),
        people=st.one_of(st.integers(2, 8), st.integers(0, 16)),
        tag_gap=st.sampled_from([0.0, 0.2, 0.6, 1.5]),
        heat_noise=st.sampled_from([0.0, 0.02, 0.3]),
        signs=st.sampled_from(["suppressed", "unsigned", "random"]),
        heat_levels=mostly(0, 1, 3, 16),
        tag_levels=mostly(0, 1, 4),
        heat_scale=mostly(1.0, 3.0, 1e-30, 1e38),
        tag_scale=mostly(1.0, 1e20, 2e37),
        broken_heat=mostly(0.0, 0.05, 1.0),
        broken_tags=mostly(0.0, 0.05, 1.0),
    )


def filled(content: Content) -> tuple[Floats, Floats]:
    """Heatmaps (K, H, W) and tags (K, H, W, L)."""
    rng = np.random.default_rng(content.seed)
    size = {"width": content.width, "height": content.height}
    noise = Noise(heat_white=content.heat_noise, tag_white=0.05)
    heatmaps, tags = paint(rng, some_people(rng, content), **size, noise=noise)
    components = [tags] + [rng.permutation(tags) for _ in range(content.tag_length - 1)]
    tags = np.stack(components, axis=3)
    with np.errstate(over="ignore"):  # infinite cells are content like any other
        heatmaps = in_levels(heatmaps, content.heat_levels) * np.float32(content.heat_scale)
        tags = in_levels(tags, content.tag_levels) * np.float32(content.tag_scale)
    if content.signs == "suppressed":
        heatmaps = suppress_non_maxima(heatmaps)
    elif content.signs == "random":
        heatmaps *= rng.choice(np.array([-1, 1], np.float32), size=heatmaps.shape)
    break_some(rng, heatmaps, content.broken_heat)
    break_some(rng, tags, content.broken_tags)
    return heatmaps, tags


def some_people(rng: np.random.Generator, content: Content) -> Evidence:
    shape = (content.people, content.keypoints)
    keypoints = rng.uniform(-2, 2 + np.array([content.width, content.height]), size=(*shape, 2))
    amplitudes = rng.uniform(0.0, 1.1, size=shape)
    tags = np.arange(content.people)[:, None] * content.tag_gap + rng.normal(0.0, 0.1, size=shape)
    return Evidence(keypoints, amplitudes, tags)


def in_levels(values: Floats, levels: int) -> Floats:
    """Ties and plateaus: values rounded to so many steps per unit; 0 leaves them as they are."""
    return values if levels == 0 else np.asarray(np.round(values * levels) / levels, np.float32)


def break_some(rng: np.random.Generator, values: Floats, share: float) -> None:
    """Puts NaN and infinities into a share of the planes' cells, in place."""
    broken = rng.random(values.shape) < share
    wrong = np.array([np.nan, np.inf, -np.inf], np.float32)
    values[broken] = rng.choice(wrong, size=int(broken.sum()))


def drawn_options(keypoints: int, *, reference: bool) -> st.SearchStrategy[Options]:
    shared: dict[str, Any] = {
        "detection_threshold": mostly(0.1, 0.0, 0.5),
        "tag_threshold": mostly(1.0, 0.3, 4.0),
        "delta": st.sampled_from([(0.5, 0.5), (0.86, -0.25)]),
        "nms": st.sampled_from(["graph", "decoder"]),
        "grouping_order": st.permutations(range(keypoints)).map(tuple),
    }
    if reference:
        return st.builds(ReferenceOptions, max_peaks=mostly(30, 1, 3, 7), **shared)
    return st.builds(
        DecoderOptions,
        max_peaks=mostly(100, 1, 3, 7),
        refine_threshold=mostly(0.02, 0.0, 0.3),
        adjust=st.sampled_from(["parabola", "quarter"]),
        **shared,
    )


call_options = st.fixed_dictionaries(
    {
        "max_poses": mostly(None, 1, 3),
        "min_pose_score": mostly(0.0, 0.2),
        "min_keypoint_score": mostly(0.0, 0.3),
        "refine": mostly(True, False),
    }
)


def assert_answers_agree(heatmaps: Floats, tags: Floats, options: Options, **call: Any) -> None:
    actual = decoder_for(options).decode(heatmaps, tags, **call)
    expected = oracle.decode(heatmaps, tags.reshape(*heatmaps.shape, -1), options, **call)
    assert_identical(actual, expected)


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@given(content=drawn_contents(), call=call_options, data=st.data())
@exploring
def test_drawn_maps(
    reference: bool, content: Content, call: dict[str, Any], data: st.DataObject
) -> None:
    options = data.draw(drawn_options(content.keypoints, reference=reference), label="options")
    assert_answers_agree(*filled(content), options, **call)


@pytest.mark.parametrize("reference", [False, True], ids=["default", "reference"])
@pytest.mark.parametrize("nms", ["graph", "decoder"])
@pytest.mark.parametrize("kind", KINDS)
def test_painted_people(kind: Kind, nms: Literal["graph", "decoder"], reference: bool) -> None:
    options = options_for(reference=reference, nms=nms)
    for seed in range(3):
        painted = scene(kind, seed, width=136, height=120)
        heatmaps = painted.heatmaps if nms == "graph" else painted.unsigned_heatmaps
        assert_answers_agree(heatmaps, painted.tags, options)
        assert_answers_agree(in_levels(heatmaps, 16), in_levels(painted.tags, 4), options)
