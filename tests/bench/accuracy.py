"""How accurate both decoders are on painted scenes, as a Markdown table."""

from __future__ import annotations

import argparse

from posewire_decoder import DecoderOptions, ReferenceOptions
from tests.reference.accuracy import accuracy, markdown
from tests.reference.scenes import KINDS, scene

DECODERS = {
    "reference": ReferenceOptions(),
    "default": DecoderOptions(),
    "default, quarter": DecoderOptions(adjust="quarter"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=200, help="painted scenes of each kind")
    parser.add_argument("--first-seed", type=int, default=20_000)
    arguments = parser.parse_args()
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.scenes)
    rows = []
    for kind in KINDS:
        scenes = [scene(kind, seed) for seed in seeds]  # one kind at a time: 9 MB a scene
        rows += [(kind, name, accuracy(scenes, options)) for name, options in DECODERS.items()]
    print(markdown(rows))


if __name__ == "__main__":
    main()
