"""From a look to brush strokes: which hulls of each part are painted, in which colours."""

from __future__ import annotations

from collections.abc import Iterator

from training.renderer.anatomy import HULL_NUMBERS
from training.renderer.light import Colour, Light, shades
from training.renderer.look import Look
from training.renderer.parts import PART_COUNT, Part

Layer = tuple[str, str]  # a hull and what it is made of
Stroke = tuple[int, int, Colour]  # hull number, step of shading, colour
Costume = tuple[tuple[Stroke, ...], ...]  # strokes in order, by part


def dress(look: Look, light: Light) -> Costume:
    """The strokes for every part of a person; parts they do not have get none."""
    layers = _layers(look)
    colours = {name: shades(colour, light) for name, colour in look.colours.items()}
    return tuple(
        tuple(_strokes(layers.get(Part(part), []) if part else [], colours))
        for part in range(PART_COUNT)
    )


def _strokes(
    layers: list[Layer], colours: dict[str, tuple[Colour, Colour, Colour]]
) -> Iterator[Stroke]:
    """Step by step of shading within one material, so that hulls of a shirt show no seam."""
    start = 0
    while start < len(layers):
        material = layers[start][1]
        end = start
        while end < len(layers) and layers[end][1] == material:
            end += 1
        for step in range(3):
            for hull, _ in layers[start:end]:
                yield HULL_NUMBERS[hull], step, colours[material][step]
        start = end


def _layers(look: Look) -> dict[Part, list[Layer]]:
    legs = "shirt" if look.legwear == "dress" else "trousers"
    layers: dict[Part, list[Layer]] = {
        Part.PELVIS: [("pelvis", legs)],
        Part.TORSO: [("abdomen", "shirt"), ("chest", "shirt")],
        Part.NECK: [("neck", "skin")],
        Part.HEAD: [("skull", "skin")],
        Part.NOSE: [("nose", "skin")],
    }
    for side, letter in enumerate("lr"):
        layers[Part(Part.EAR_L + side)] = [(f"ear_{letter}", "skin")]
        layers |= _arm(look, side, letter)
        layers |= _leg(look, side, letter)
    if look.legwear in ("skirt", "dress"):
        layers[Part.SKIRT] = [("skirt", legs)]
    if look.hair in ("bob", "long", "bun", "ponytail"):
        hull = "mane" if look.hair == "long" else look.hair
        layers[Part.BACK_HAIR] = [(hull, "hair")]
    if look.hat:
        layers[Part.PEAK] = [("peak", "hat")]
    if look.bag:
        layers[Part.BAG] = [("bag", "bag")]
    return layers


def _arm(look: Look, side: int, letter: str) -> dict[Part, list[Layer]]:
    long = look.sleeves == "long"
    upper: list[Layer] = [(f"upper_arm_{letter}", "shirt" if long else "skin")]
    if look.sleeves == "short":
        upper.append((f"sleeve_{letter}", "shirt"))
    lower: list[Layer] = [(f"forearm_{letter}", "skin")]
    if long:
        lower = [(f"long_sleeve_{letter}", "shirt")]
    return {
        Part(Part.UPPER_ARM_L + side): upper,
        Part(Part.FOREARM_L + side): lower,
        Part(Part.HAND_L + side): [(f"hand_{letter}", "skin"), (f"thumb_{letter}", "skin")],
    }


def _leg(look: Look, side: int, letter: str) -> dict[Part, list[Layer]]:
    trousers = look.legwear == "trousers"
    upper: list[Layer] = [(f"thigh_{letter}", "trousers" if trousers else "skin")]
    if look.legwear == "shorts":
        upper.append((f"shorts_{letter}", "trousers"))
    lower: list[Layer] = [(f"shin_{letter}", "skin")]
    if trousers:
        lower = [(f"trouser_leg_{letter}", "trousers")]
    elif look.socks:
        lower.append((f"sock_{letter}", "sock"))
    lap: list[Layer] = [(f"lap_{letter}", "trousers")]
    if look.legwear == "shorts":
        lap = [(f"bare_lap_{letter}", "skin"), (f"shorts_lap_{letter}", "trousers")]
    return {
        Part(Part.LAP_L + side): [] if look.legwear in ("skirt", "dress") else lap,
        Part(Part.THIGH_L + side): upper,
        Part(Part.SHIN_L + side): lower,
        Part(Part.FOOT_L + side): [(f"sole_{letter}", "sole"), (f"shoe_{letter}", "shoes")],
    }
