"""Who appears in a clip, and where, so that they meet but never walk through each other."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from training.renderer.actor import (
    Actor,
    Bystander,
    Traveller,
    exercise,
    wave_left,
    wave_right,
)
from training.renderer.body import Build
from training.renderer.ground import Ground
from training.renderer.posture import ANGLE_COUNT, CHEST, HEAD, LIMBS

Floats = NDArray[np.float64]

_TRIES = 80
_SAMPLES = 40
# Distances in body heights: closer people would be inside each other.
_ELBOW_ROOM = 0.42
_OUT_OF_SIGHT = 0.8
_STEEPEST = 0.3  # of ways across the picture, towards the camera or away from it
_CROSSINGS_WANTED = 3
_SAME_SIGHT_LINE = 0.14  # sideways per distance: one would hide the other all the time
_LEAST_PRESENCE = 0.4  # share of the clip that everybody is to be seen


def draw_company(
    rng: np.random.Generator,
    build: Build,
    ground: Ground,
    duration_secs: float,
    *,
    all_travel: bool = False,
) -> list[Actor]:
    """An actor for each of P people: two or more travellers, the rest stand, wave or exercise.

    `all_travel`: there is no rest.

    The first of eighty drawn companies in which nobody touches anybody and people pass in front of
    each other three times; without one, the one with the most meetings and the fewest collisions.
    """
    best: list[Actor] = []
    best_score = -math.inf
    for _ in range(_TRIES):
        company = _draw(rng, build, ground, duration_secs, all_travel)
        score = _score(company, ground, duration_secs)
        if score > best_score:
            best, best_score = company, score
        if score >= _CROSSINGS_WANTED:
            break
    return best


def _draw(
    rng: np.random.Generator,
    build: Build,
    ground: Ground,
    duration_secs: float,
    all_travel: bool,
) -> list[Actor]:
    count = len(build.girth)
    standing = 0 if all_travel else int(rng.integers(1, max(2, count - 1)))
    share = (rng.permutation(count) + rng.uniform(0.25, 0.75, count)) / count
    lanes = (ground.nearest + (ground.furthest - ground.nearest) * share).tolist()
    company: list[Actor] = []
    for person, lane in enumerate(lanes):
        if person < standing:
            company.append(_bystander(rng, ground, lane))
        else:
            leg = float(build.thigh[person] + build.shin[person])
            company.append(_traveller(rng, ground, lane, leg, duration_secs))
    return company


def _traveller(
    rng: np.random.Generator, ground: Ground, lane: float, leg: float, duration_secs: float
) -> Traveller:
    runs = bool(rng.random() < 0.2)
    stride = rng.uniform(0.48, 0.58) if runs else rng.uniform(0.36, 0.46)
    # Each of the two steps is as long as the legs' spread and a roll of the foot; a runner flies a
    # seventh as far again.
    step_cycle = 4.6 * leg * math.sin(stride) * (1.15 if runs else 1.0)
    speed = step_cycle * (rng.uniform(1.25, 1.45) if runs else rng.uniform(0.85, 1.05))
    reach = ground.half_width(lane) + _OUT_OF_SIGHT
    room = min(lane - ground.nearest + 0.2, ground.furthest + 0.5 - lane)
    # Somewhere near the middle of the picture at some time near the middle of the clip, on the way
    # right or on the way left.
    meeting = reach * (rng.choice([1.0, 3.0]) + 0.45 * rng.uniform(-1.0, 1.0))
    meeting_secs = rng.uniform(0.25, 0.75) * duration_secs
    return Traveller(
        middle=np.array([0.0, lane]),
        slope=rng.uniform(-1.0, 1.0) * min(_STEEPEST, room / reach),
        reach=reach,
        first_way=meeting - meeting_secs * speed,
        speed=speed,
        weave=rng.uniform(0.0, 0.06),
        stride=stride,
        step_cycle=step_cycle,
        runs=runs,
        manner=_draw_manner(rng),
    )


def _bystander(rng: np.random.Generator, ground: Ground, lane: float) -> Bystander:
    acts = (wave_left, wave_right, exercise)
    return Bystander(
        spot=np.array([0.75 * ground.half_width(lane) * rng.uniform(-1.0, 1.0), lane]),
        # Turned enough that it stays clear which arm is in front of the trunk.
        yaw=rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 0.6),
        period=rng.uniform(3.5, 5.5),
        first_phase=rng.uniform(0.0, 2.0 * math.pi),
        act=acts[int(rng.integers(len(acts)))],
        manner=_draw_manner(rng),
    )


def _draw_manner(rng: np.random.Generator) -> Floats:
    """(29,): small constant differences in bearing; arms and trunk only, legs have to reach."""
    manner = 0.04 * np.clip(rng.standard_normal(ANGLE_COUNT), -2.0, 2.0)
    manner[: CHEST.start] = 0.0
    manner[HEAD.start : HEAD.stop] *= 1.5
    manner[LIMBS.start + 10 :] = 0.0
    return manner


def _score(company: list[Actor], ground: Ground, duration_secs: float) -> float:
    """How often people pass in front of others, less ten for every collision, absence or hiding."""
    times = np.linspace(0.0, duration_secs, _SAMPLES).tolist()
    ways = np.array([[actor.place(secs) for actor in company] for secs in times])
    sight_lines = ways[..., 0] / ways[..., 1]
    shown = np.abs(sight_lines) < 0.5 * ground.width / ground.focal
    score = -10.0 * float((shown.mean(axis=0) < _LEAST_PRESENCE).sum())
    for first in range(len(company)):
        for second in range(first):
            gaps = np.linalg.norm(ways[:, first] - ways[:, second], axis=1)
            score -= 10.0 * float(gaps.min() < _ELBOW_ROOM)
            order = np.sign(sight_lines[:, first] - sight_lines[:, second])
            both = shown[:, first] & shown[:, second]
            if np.abs(sight_lines[:, first] - sight_lines[:, second]).max() < _SAME_SIGHT_LINE:
                score -= 10.0
            score += float(((order[1:] != order[:-1]) & both[1:]).sum())
    return score
