"""What smoothing does to jitter and lag: `python -m training.evaluate_smoothing --help`.

Follows people in rendered clips with and without smoothing and compares both with the truth.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire_cli.evaluation.tracking import oks
from posewire_decoder import Origin, SmootherOptions
from posewire_server.estimation.following import Follower
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.options import EstimateOptions
from posewire_server.estimation.pipeline import Pipeline
from posewire_server.models.installed import installed_model
from posewire_server.skeleton import COCO
from training.clips import CLIP_FRAMES, CLIP_RATE, clip
from training.renderer import Person, Plot
from training.smoothing_plot import Curve, draw_curves
from training.splits import Split

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# In scales a second.
_REST_SPEED, _FAST_SPEED = 0.05, 2.0
_WRISTS = [COCO.names.index(name) for name in ("left_wrist", "right_wrist")]
_VISIBLE = 2
_MIN_OKS = 0.5
# Frames of a curve of the plot.
_REST_FRAMES, _FAST_FRAMES = 50, 25


class Motion:
    """One person through a clip: places (F, 17, 2), NaN for keypoints hidden or without a peak.

    A scale is the square root of the area of the box around the keypoints, its mean over the clip.
    """

    def __init__(self) -> None:
        shape = (CLIP_FRAMES, 17, 2)
        self.truth, self.raw, self.smoothed = (np.full(shape, np.nan) for _ in range(3))
        self._scales: list[float] = []

    def add(self, frame: int, person: Person, raw: Floats, smoothed: Floats, found: Flags) -> None:
        is_known = (person.visibility == _VISIBLE) & found
        self.truth[frame, is_known] = person.keypoints[is_known]
        self.raw[frame, is_known] = raw[is_known]
        self.smoothed[frame, is_known] = smoothed[is_known]
        self._scales.append(float(np.sqrt(np.prod(np.ptp(person.keypoints, axis=0)))))

    def in_scales(self) -> Motion:
        """Return the motion with places in scales instead of pixels."""
        scale = np.mean(self._scales)
        scaled = Motion()
        scaled.truth, scaled.raw = self.truth / scale, self.raw / scale
        scaled.smoothed = self.smoothed / scale
        return scaled

    def velocity(self) -> Floats:
        """Return the true one a second (F, 17, 2), NaN beside frames without a place."""
        return np.asarray(np.gradient(self.truth, axis=0) * CLIP_RATE)


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians for raw or smoothed places, in percent of a scale; the lag is in milliseconds."""

    jitter: float
    rest_error: float
    lag: float
    fast_error: float
    error: float


def main() -> None:
    options = _parser().parse_args()
    model = installed_model(options.model)
    pipeline = Pipeline.for_model(model)
    estimate_options = EstimateOptions.for_model(model)
    smoothing = SmootherOptions(
        min_cutoff_hz=options.min_cutoff_hz, cutoff_per_speed=options.cutoff_per_speed
    )
    motions: list[Motion] = []
    for index in range(options.clips):
        split = Split[options.split]
        motions += _follow(split, index, pipeline, estimate_options, smoothing)
    raw, smoothed = (
        measure(motions, [getattr(each, name) for each in motions]) for name in ("raw", "smoothed")
    )
    rows = {
        "jitter at rest (percent)": "jitter",
        "error at rest (percent)": "rest_error",
        "lag of fast wrists (ms)": "lag",
        "error of fast wrists (percent)": "fast_error",
        "error of all keypoints (percent)": "error",
    }
    print(f"{'medians':34}     raw smoothed")
    for title, name in rows.items():
        print(f"{title:34} {getattr(raw, name):7.3f} {getattr(smoothed, name):8.3f}")
    if options.plot is not None:
        curves = [_rest_curve(motions), _fast_curve(motions)]
        options.plot.write_text(draw_curves(curves, rate=CLIP_RATE))


def measure(motions: Sequence[Motion], places: Sequence[Floats]) -> Figures:
    """Compare places with the truth. Figures without a sample are NaN."""
    steps, rest, lags, fast, every = ([] for _ in range(5))
    for motion, found in zip(motions, places, strict=True):
        velocity = motion.velocity()
        offsets = found - motion.truth
        errors = np.linalg.norm(offsets, axis=2)
        speed = np.where(np.isfinite(errors), np.linalg.norm(velocity, axis=2), np.nan)
        is_rest = speed < _REST_SPEED
        rest.append(errors[is_rest])
        steps.append(np.linalg.norm(np.diff(offsets, axis=0), axis=2)[is_rest[1:]])
        wrists = np.zeros_like(is_rest)
        wrists[:, _WRISTS] = True
        is_fast = (speed > _FAST_SPEED) & wrists
        fast.append(errors[is_fast])
        ahead = (offsets * velocity).sum(axis=2)[is_fast] / np.square(speed[is_fast])
        lags.append(-1000 * ahead)
        every.append(errors[np.isfinite(errors)])
    return Figures(
        jitter=100 * _median(steps),
        rest_error=100 * _median(rest),
        lag=_median(lags),
        fast_error=100 * _median(fast),
        error=100 * _median(every),
    )


def _median(samples: Sequence[Floats]) -> float:
    return float(np.nanmedian(np.concatenate(samples)))


def _follow(
    split: Split,
    index: int,
    pipeline: Pipeline,
    options: EstimateOptions,
    smoothing: SmootherOptions,
) -> list[Motion]:
    """Return the motions of all people in a clip of crossings."""
    plain, smooth = Follower(options), Follower(options, smoothing=smoothing)
    motions: dict[int, Motion] = defaultdict(Motion)
    for frame, scene in enumerate(clip(split, Plot.CROSSINGS, index)):
        estimate = pipeline.estimate(scene.image, plain.estimate_options)
        raw, smoothed = (
            each.follow(frame / CLIP_RATE, estimate.poses, estimate.colours)
            for each in (plain, smooth)
        )
        for person, n in _match(scene.people, raw):
            motions[person.identity].add(
                frame,
                person,
                raw.keypoints[n].astype(np.float64),
                smoothed.keypoints[n].astype(np.float64),
                raw.origins[n] == Origin.DETECTED,
            )
    return [motion.in_scales() for motion in motions.values()]


def _match(people: Sequence[Person], poses: FramePoses) -> list[tuple[Person, int]]:
    """Return each person with the most similar pose, if that has a track and is similar enough."""
    if not people or not len(poses):
        return []
    assert poses.track_ids is not None
    similarity = oks(
        np.array([person.keypoints for person in people]),
        np.array([person.visibility > 0 for person in people]),
        np.array([person.box[2] * person.box[3] for person in people]),
        poses.keypoints,
        COCO.oks_sigmas,
    )
    similarity[:, poses.track_ids == 0] = 0
    best = similarity.argmax(axis=1).tolist()
    pairs = zip(people, best, similarity.max(axis=1), strict=True)
    return [(person, n) for person, n, value in pairs if value >= _MIN_OKS]


def _rest_curve(motions: Sequence[Motion]) -> Curve:
    """Return the stretch at rest whose raw jitter is the median of all."""
    found: list[tuple[float, Motion, int, int]] = []
    for motion in motions:
        speed = np.linalg.norm(motion.velocity(), axis=2)
        for k in range(17):
            for start in range(0, CLIP_FRAMES - _REST_FRAMES + 1, _REST_FRAMES // 2):
                part = slice(start, start + _REST_FRAMES)
                if (speed[part, k] < _REST_SPEED).all():
                    jitter = float(np.abs(np.diff(motion.raw[part, k, 0])).mean())
                    found.append((jitter, motion, k, start))
    found.sort(key=lambda each: each[0])
    _, motion, k, start = found[len(found) // 2]
    name = COCO.names[k].replace("_", " ")
    return _curve(f"A {name} at rest", motion, k, start, _REST_FRAMES)


def _fast_curve(motions: Sequence[Motion]) -> Curve:
    """Return the stretch in which a wrist moves most to and fro along x."""
    found: list[tuple[float, Motion, int, int]] = []
    for motion in motions:
        velocity = motion.velocity()[..., 0]
        for k in _WRISTS:
            for start in range(CLIP_FRAMES - _FAST_FRAMES + 1):
                part = velocity[start : start + _FAST_FRAMES, k]
                to_and_fro = float(np.abs(part).mean() - np.abs(part.mean()))  # NaN with gaps
                if np.isfinite(to_and_fro):
                    found.append((to_and_fro, motion, k, start))
    _, motion, k, start = max(found, key=lambda each: each[0])
    return _curve("A fast wrist", motion, k, start, _FAST_FRAMES)


def _curve(title: str, motion: Motion, k: int, start: int, frames: int) -> Curve:
    """Return the x of a keypoint in percent of the scale, from its mean true place."""
    part = slice(start, start + frames)
    middle = motion.truth[part, k, 0].mean()
    truth, raw, smoothed = (
        (100 * (places[part, k, 0] - middle)).tolist()
        for places in (motion.truth, motion.raw, motion.smoothed)
    )
    return Curve(title, truth, raw, smoothed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate_smoothing",
        description="Jitter and lag of keypoints in rendered clips, before and after smoothing.",
    )
    parser.add_argument(
        "--model", default="demo", help="name or .xml file; default: the bundled %(default)s"
    )
    parser.add_argument("--clips", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--plot", type=Path, help="SVG file of a keypoint at rest and a fast wrist")
    defaults = SmootherOptions()
    for name in ("min_cutoff_hz", "cutoff_per_speed"):
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(
            option, type=float, default=getattr(defaults, name), help="default: %(default)s"
        )
    parser.add_argument(
        "--split",
        choices=[Split.VALIDATION.name, Split.HELD_OUT.name],
        default=Split.VALIDATION.name,
        help="default: %(default)s",
    )
    return parser


if __name__ == "__main__":
    main()
