"""Decode heatmaps and associative-embedding tags to poses, in C++.

>>> from posewire_decoder import Decoder, DecoderOptions
>>> poses = Decoder(DecoderOptions()).decode(heatmaps, tags)  # doctest: +SKIP
"""

from posewire_decoder.decoder import Decoder, DecoderOptions, ReferenceDecoder, ReferenceOptions
from posewire_decoder.duplicates import join_duplicates
from posewire_decoder.people import (
    FrameFromHeatmap,
    PeopleDecoder,
    SerializedPoses,
    serialize_poses,
)
from posewire_decoder.poses import Origin, Poses

__all__ = [
    "Decoder",
    "DecoderOptions",
    "FrameFromHeatmap",
    "Origin",
    "PeopleDecoder",
    "Poses",
    "ReferenceDecoder",
    "ReferenceOptions",
    "SerializedPoses",
    "join_duplicates",
    "serialize_poses",
]
