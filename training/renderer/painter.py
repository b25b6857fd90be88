"""Paints people: parts from far to near, each with shading, details and its truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.renderer.anatomy import HULL_NUMBERS, HULL_SPHERES
from training.renderer.body import Bone
from training.renderer.canvas import Canvas, fixed_point, map_value
from training.renderer.crowd import Crowd, Shape
from training.renderer.decals import place_decals
from training.renderer.face import large_features, small_features
from training.renderer.light import Light, shades
from training.renderer.outline import hull_outlines
from training.renderer.parts import Part, part_depths
from training.renderer.pattern import band_across, stripe_shares
from training.renderer.placement import Placement

Floats = NDArray[np.float64]


_SHIRT_HULLS = [HULL_NUMBERS["abdomen"], HULL_NUMBERS["chest"]]

# In pixels; the chest of somebody seen from above is too short for stripes.
_SHORTEST_CHEST = 5.0


class Painter:
    """All polygons of a crowd at one moment, ready to be painted person by person."""

    def __init__(
        self,
        crowd: Crowd,
        shape: Shape,
        placement: Placement,
        light: Light,
        *,
        steady: bool = False,
    ) -> None:
        """`steady` takes longer and is for clips: nothing jumps from one frame to the next."""
        self._crowd = crowd
        self._light = light
        centres = placement.frame_from_view(shape.flesh.centres[..., :2])
        radii = shape.flesh.radii * placement.scales[:, None]
        outlines = hull_outlines(
            centres[:, HULL_SPHERES], radii[:, HULL_SPHERES], light.direction, steady=steady
        )
        self._shirts = outlines[:, _SHIRT_HULLS]
        self._outlines = fixed_point(outlines)
        self._order = np.argsort(part_depths(shape.flesh, steady=steady)[:, 1:], axis=1) + 1
        small, self._small_faces = small_features(shape.bones, shape.flesh)
        self._small = fixed_point(placement.frame_from_view(small))
        large = large_features(shape.bones, shape.flesh)
        self._large = fixed_point(placement.frame_from_view(large))
        decals, self._decal_faces = place_decals(shape.bones, shape.build)
        self._decals = fixed_point(placement.frame_from_view(decals))
        chests = shape.bones.axes[:, Bone.CHEST, :2, 1] * shape.build.chest[:, None]
        self._chests = chests * placement.scales[:, None]
        self._waists = placement.frame_from_view(shape.bones.origins[:, Bone.CHEST, :2])

    def paint(self, canvas: Canvas, person: int) -> None:
        costume = self._crowd.costumes[person]
        outlines = self._outlines[person]
        for part in self._order[person].tolist():
            value = map_value(person, part)
            for hull, step, colour in costume[part]:
                outline = outlines[hull, step]
                canvas.fill(outline, colour)
                if step == 0:
                    canvas.claim(outline, value)
            if part == Part.HEAD:
                self._paint_head(canvas, person)
            elif part == Part.TORSO:
                self._paint_trunk(canvas, person)

    def _paint_head(self, canvas: Canvas, person: int) -> None:
        value = map_value(person, Part.HEAD)
        for large, number, colour in self._crowd.faces[person]:
            if large:
                canvas.fill_concave(self._large[person, number], colour, value)
            elif self._small_faces[person, number]:
                canvas.fill(self._small[person, number], colour)

    def _paint_trunk(self, canvas: Canvas, person: int) -> None:
        if self._crowd.looks[person].pattern != "plain":
            self._paint_stripes(canvas, person)
        for number, colour in self._crowd.decals[person]:
            if self._decal_faces[person, number]:
                canvas.fill(self._decals[person, number], colour)

    def _paint_stripes(self, canvas: Canvas, person: int) -> None:
        """Bands across the shirt, cut to each step of its shading so that they are shaded too."""
        look, chest = self._crowd.looks[person], self._chests[person]
        length = float(chest @ chest)
        if length < _SHORTEST_CHEST**2:
            return
        starts, ends = stripe_shares(look)
        waist = float(self._waists[person] @ chest)
        lines = waist + length * starts, waist + length * ends
        for step, colour in enumerate(shades(look.colours["accent"], self._light)):
            for outline in self._shirts[person, :, step]:
                for band in fixed_point(band_across(outline, chest, *lines)):
                    canvas.fill(band, colour)
