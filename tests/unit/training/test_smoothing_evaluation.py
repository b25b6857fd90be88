"""Jitter and lag of motions made by hand, and their plot."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from training.clips import CLIP_FRAMES, CLIP_RATE
from training.evaluate_smoothing import Motion, measure
from training.smoothing_plot import Curve, draw_curves

SECS = np.arange(CLIP_FRAMES) / CLIP_RATE
LEFT_WRIST, HIP = 9, 11


def motion() -> Motion:
    """A wrist that moves three scales a second to the right, and a hip at rest."""
    made = Motion()
    made.truth[:, LEFT_WRIST] = np.stack([3 * SECS, 0 * SECS], axis=1)
    made.truth[:, HIP] = 5
    return made


def test_exact_places_have_neither_jitter_nor_lag() -> None:
    made = motion()
    figures = measure([made], [made.truth])
    assert (figures.jitter, figures.rest_error, figures.lag, figures.error) == (0, 0, 0, 0)


def test_late_places_lag_by_their_delay() -> None:
    made = motion()
    late = made.truth.copy()
    late[:, LEFT_WRIST, 0] -= 3 * 0.02
    figures = measure([made], [late])
    assert figures.lag == pytest.approx(20)
    assert figures.fast_error == pytest.approx(6)
    assert figures.rest_error == 0


def test_places_that_alternate_jitter() -> None:
    made = motion()
    shaken = made.truth.copy()
    shaken[::2, HIP, 0] += 0.01
    figures = measure([made], [shaken])
    assert figures.jitter == pytest.approx(1)
    assert figures.lag == 0


def test_keypoints_without_a_place_do_not_count() -> None:
    made = motion()
    found = made.truth + 0.01
    made.truth[40:60], found[40:60] = np.nan, np.nan
    figures = measure([made], [found])
    assert figures.rest_error == pytest.approx(100 * np.hypot(0.01, 0.01))
    assert np.isfinite(figures.lag)


def test_a_plot_has_three_lines_for_each_curve() -> None:
    curves = [Curve("A hip", [0, 0, 0], [0.5, -0.5, 1], [0, 0.1, 0.2]), Curve("<b>", *[[1, 2]] * 3)]
    root = ElementTree.fromstring(draw_curves(curves, rate=25))
    name = "{http://www.w3.org/2000/svg}"
    lines = list(root.iter(f"{name}polyline"))
    assert len(lines) == 6
    for line in lines:
        points = [point.split(",") for point in line.attrib["points"].split()]
        assert all(0 < float(x) < 470 and 0 < float(y) < 300 for x, y in points)
    texts = [text.text for text in root.iter(f"{name}text")]
    assert {"A hip", "<b>", "truth", "raw", "smoothed", "seconds"} <= set(texts)
