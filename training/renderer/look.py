"""What a person looks like: skin, hair and clothes, constant over a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Written red, green, blue, as in a paint box; colours are BGR everywhere else.
_SKINS = (0xF3D3BD, 0xE8B996, 0xD9A177, 0xC68863, 0xA66B46, 0x80502F, 0x5A3825)
_HAIRS = (0x17130F, 0x2F2119, 0x4E3322, 0x74492A, 0xA8763E, 0xD5B06B, 0x9C4A23, 0xA9A6A1)
_SOLES = (0xF2F0EA, 0xE6E0D0, 0x2A2826, 0x8A5A3B)

HAIR_STYLES = ("none", "short", "bob", "long", "ponytail", "bun")
_HAIR_WEIGHTS = (0.08, 0.44, 0.14, 0.14, 0.12, 0.08)
SLEEVES = ("none", "short", "long")
_SLEEVE_WEIGHTS = (0.12, 0.46, 0.42)
LEGWEAR = ("trousers", "shorts", "skirt", "dress")
_LEGWEAR_WEIGHTS = (0.56, 0.28, 0.09, 0.07)
FRONTS = ("plain", "v_neck", "zip", "buttons", "logo", "print", "tie")
_FRONT_WEIGHTS = (0.24, 0.18, 0.12, 0.12, 0.14, 0.14, 0.06)
PATTERNS = ("plain", "stripes", "band")
_PATTERN_WEIGHTS = (0.68, 0.18, 0.14)


@dataclass(frozen=True, slots=True)
class Look:
    """Choices by name, see the tables above, and colours (3,) BGR by what wears them."""

    hair: str
    parting: str
    sleeves: str
    legwear: str
    front: str
    pattern: str
    stripe_count: int
    hat: bool
    beard: bool
    glasses: bool
    sunglasses: bool
    bag: bool
    socks: bool
    back_print: bool
    colours: dict[str, Floats]


def draw_look(rng: np.random.Generator) -> Look:
    """A random look in which skin, shirt and trousers can be told apart."""
    chances = rng.random(8)
    hair = _choose(rng, HAIR_STYLES, _HAIR_WEIGHTS)
    long_haired = hair in ("bob", "long", "ponytail", "bun")
    sunglasses = bool(chances[3] < 0.08)
    return Look(
        hair=hair,
        parting=("l", "r", "none")[int(3 * chances[7])],
        sleeves=_choose(rng, SLEEVES, _SLEEVE_WEIGHTS),
        legwear=_choose(rng, LEGWEAR, _LEGWEAR_WEIGHTS),
        front=_choose(rng, FRONTS, _FRONT_WEIGHTS),
        pattern=_choose(rng, PATTERNS, _PATTERN_WEIGHTS),
        stripe_count=int(rng.integers(3, 7)),
        hat=bool(chances[0] < 0.14) and hair != "bun",
        beard=bool(chances[1] < 0.16) and not long_haired,
        glasses=bool(chances[2] < 0.14) and not sunglasses,
        sunglasses=sunglasses,
        bag=bool(chances[4] < 0.12),
        socks=bool(chances[5] < 0.5),
        back_print=bool(chances[6] < 0.25),
        colours=_draw_colours(rng),
    )


def _choose(rng: np.random.Generator, names: tuple[str, ...], weights: tuple[float, ...]) -> str:
    return names[int(np.searchsorted(np.cumsum(weights), rng.random() * sum(weights)))]


def _draw_colours(rng: np.random.Generator) -> dict[str, Floats]:
    skin = _paint(_SKINS[rng.integers(len(_SKINS))]) * rng.uniform(0.94, 1.04)
    hair = _paint(_HAIRS[rng.integers(len(_HAIRS))]) * rng.uniform(0.9, 1.1)
    shirt = _away_from(rng, skin)
    trousers = _away_from(rng, shirt)
    return {
        "skin": skin,
        "hair": hair,
        "shirt": shirt,
        "accent": _away_from(rng, shirt),
        "trousers": trousers,
        "shoes": _cloth(rng),
        "sole": _paint(_SOLES[rng.integers(len(_SOLES))]),
        "sock": _paint(0xEFEDE8) * rng.uniform(0.6, 1.0),
        "hat": _cloth(rng),
        "bag": _away_from(rng, shirt),
    }


def _paint(red_green_blue: int) -> Floats:
    return np.array(
        [red_green_blue & 255, red_green_blue >> 8 & 255, red_green_blue >> 16], dtype=np.float64
    )


def _cloth(rng: np.random.Generator) -> Floats:
    """A dyed colour, or in three cases of ten a grey between black and white."""
    value = rng.uniform(50, 245)
    if rng.random() < 0.3:
        return value + rng.uniform(-10, 10, 3)
    hue, saturation = rng.uniform(0, 6), rng.uniform(0.25, 0.85)
    distance = np.abs((hue - np.array([4.0, 2.0, 0.0]) + 3.0) % 6.0 - 3.0)
    return value * (1.0 - saturation * np.clip(distance - 1.0, 0.0, 1.0))


def _away_from(rng: np.random.Generator, other: Floats) -> Floats:
    """A cloth whose colour differs visibly from `other`."""
    for _ in range(4):
        colour = _cloth(rng)
        if np.abs(colour - other).sum() > 90:
            break
    return colour
