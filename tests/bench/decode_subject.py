"""Decodes maps for a benchmark, with the decoder of the interpreter's environment.

Reads the path of a file of maps from each line of standard input, and prints the microseconds that
decoding them took.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from posewire_decoder import Decoder


def main() -> None:
    decoder = Decoder()
    name, heatmaps, tags = "", np.empty(0, np.float32), np.empty(0, np.float32)
    for line in sys.stdin:
        if line.strip() != name:
            name = line.strip()
            with np.load(name) as maps:
                heatmaps, tags = maps["heatmaps"], maps["tags"]
        start = time.thread_time()
        decoder.decode(heatmaps, tags)
        print((time.thread_time() - start) * 1e6, flush=True)


if __name__ == "__main__":
    main()
