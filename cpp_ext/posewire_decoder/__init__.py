"""Decode heatmaps and associative-embedding tags to poses, follow people, and write messages.

>>> from posewire_decoder import Decoder, DecoderOptions
>>> poses = Decoder(DecoderOptions()).decode(heatmaps, tags)  # doctest: +SKIP
"""

from posewire_decoder.decoder import Decoder, DecoderOptions, ReferenceDecoder, ReferenceOptions
from posewire_decoder.duplicates import join_duplicates
from posewire_decoder.flip_test import merge_mirrored
from posewire_decoder.messages import MessageKind, serialize_outcome, serialize_result
from posewire_decoder.people import (
    FrameFromHeatmap,
    PeopleDecoder,
    SerializedPoses,
    serialize_poses,
)
from posewire_decoder.poses import Origin, Poses
from posewire_decoder.smoother import Smoother, SmootherOptions
from posewire_decoder.tracker import (
    Tracker,
    TrackerOptions,
    minimum_cost_assignment,
    sample_colours,
)

__all__ = [
    "Decoder",
    "DecoderOptions",
    "FrameFromHeatmap",
    "MessageKind",
    "Origin",
    "PeopleDecoder",
    "Poses",
    "ReferenceDecoder",
    "ReferenceOptions",
    "SerializedPoses",
    "Smoother",
    "SmootherOptions",
    "Tracker",
    "TrackerOptions",
    "join_duplicates",
    "merge_mirrored",
    "minimum_cost_assignment",
    "sample_colours",
    "serialize_outcome",
    "serialize_poses",
    "serialize_result",
]
