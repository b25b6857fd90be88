"""What a clip is about: the events that make it hard to follow people."""

from __future__ import annotations

import enum


class Plot(enum.IntEnum):
    """People always pass in front of each other. The values are parts of seeds: do not change them.

    CROSSINGS: nothing else happens. ENTRANCES: nobody stays; everybody walks or runs in and out.
    OCCLUSIONS: columns in front of everything hide people completely. EQUAL_CLOTHES: all look the
    same. CUTS: twice the clip goes on with other people in another place.
    """

    CROSSINGS = 0
    ENTRANCES = 1
    OCCLUSIONS = 2
    EQUAL_CLOTHES = 3
    CUTS = 4
