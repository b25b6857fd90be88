"""Decode mutated image files: `python -m tests.fuzz.fuzz_images --seconds 60`.

Each input is decoded like one that a client sends. It must give an image of the size in its header
or an `InvalidImageError`, and cost no more than its pixels allow. Inputs that lead to a new kind of
answer are mutated further. The one that breaks a rule, or the process, is left in build/fuzz/image.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import struct
import time
import zlib
from pathlib import Path

import numpy as np

from posewire_server.geometry import Size
from posewire_server.image.encoded import DecodedImage, decode_image
from posewire_server.image.errors import InvalidImageError
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.transport.native_messages import limit_native_messages

CORPUS = Path(__file__).parents[1] / "golden" / "images"
INPUT = Path("build/fuzz/image")
LIMITS = ImageLimits(max_bytes=1 << 20, max_pixels=1 << 16)
MAX_SECS = 2.0
MAX_GROWTH = 64 << 20
REASONS = ("IMAGE_INVALID", "IMAGE_UNDECODABLE", "IMAGE_TOO_LARGE")
NUMBERS = (0, 1, 2, 7, 8, 255, 256, 0x7FFF, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0xFFFF_FFFF)


class BrokenRuleError(Exception):
    """An input that is not handled as it must be."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    arguments = parser.parse_args()
    seed = random.randrange(1 << 32) if arguments.seed is None else arguments.seed
    print(f"images: seed {seed}", flush=True)
    limit_native_messages()
    INPUT.parent.mkdir(parents=True, exist_ok=True)
    corpus = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    answers = {check(content) for content in corpus}
    began_with = len(corpus)
    chance = random.Random(seed)
    ends = time.monotonic() + arguments.seconds
    inputs = 0
    with INPUT.open("wb", buffering=0) as file:
        while time.monotonic() < ends:
            content = mutate(chance, corpus)
            inputs += 1
            file.seek(0)
            file.write(content)
            file.truncate()
            answer = check(content)
            if answer not in answers:
                answers.add(answer)
                corpus.append(content)
    INPUT.unlink(missing_ok=True)
    print(
        f"images: {inputs} inputs, corpus of {began_with} files and "
        f"{len(corpus) - began_with} more, {len(answers)} kinds of answers"
    )


def check(content: bytes) -> str:
    """Decode and return the kind of answer; raises an error for an input that is not handled."""
    before, started = _peak_bytes(), time.thread_time()
    try:
        decoded = decode_image(
            content,
            limits=LIMITS,
            needed=lambda size: Size(*(-(-side // 3) for side in size)),
            apply_orientation=True,
        )
    except InvalidImageError as error:
        if error.reason not in REASONS:
            raise BrokenRuleError(f"reason {error.reason}") from error
        answer = re.sub(r"""\d+|b(['"]).*?\1|beginning with .*""", "", str(error))
    else:
        answer = _checked(decoded)
    secs, growth = time.thread_time() - started, _peak_bytes() - before
    if secs > MAX_SECS or growth > MAX_GROWTH:
        raise BrokenRuleError(f"it took {secs:.1f} s and {growth} bytes")
    return answer


def _checked(decoded: DecodedImage) -> str:
    sides = tuple(-(-side // decoded.reduction) for side in reversed(decoded.size))
    pixels = decoded.pixels
    if pixels.shape != (*sides, 3) or pixels.dtype != np.uint8:
        raise BrokenRuleError(f"{pixels.shape} {pixels.dtype} for {decoded.size}")
    if decoded.size.width * decoded.size.height > LIMITS.max_pixels:
        raise BrokenRuleError(f"{decoded.size} is above the limit")
    return f"decoded by {decoded.reduction}"


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def mutate(chance: random.Random, corpus: list[bytes]) -> bytes:
    content = bytearray(chance.choice(corpus))
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        _mutate_once(chance, content, corpus)
    del content[LIMITS.max_bytes + 1 :]
    if content.startswith(b"\x89PNG") and chance.random() < 0.8:
        _mend_png(content)
    elif content.startswith(b"RIFF") and len(content) > 8 and chance.random() < 0.8:
        content[4:8] = struct.pack("<I", len(content) - 8)
    return bytes(content)


def _mutate_once(chance: random.Random, content: bytearray, corpus: list[bytes]) -> None:
    at = chance.randrange(len(content) + 1)
    # Most of what matters is at the beginning.
    if chance.random() < 0.5:
        at = min(at, chance.randrange(64))
    until = min(len(content), at + chance.choice((1, 2, 4, 8, 64)))
    match chance.randrange(6):
        case 0:
            content[at:until] = chance.randbytes(until - at)
        case 1:
            form = chance.choice((">I", "<I", ">H", "<H", "B"))
            number = chance.choice(NUMBERS) % (1 << 8 * struct.calcsize(form))
            content[at : at + struct.calcsize(form)] = struct.pack(form, number)
        case 2:
            del content[at:until]
        case 3:
            content[at:at] = content[at:until] * chance.choice((1, 2, 100))
        case 4:
            other = chance.choice(corpus)
            start = chance.randrange(len(other) + 1)
            content[at:until] = other[start : start + chance.choice((4, 16, 64, 1024))]
        case _:
            if at < len(content):
                content[at] ^= 1 << chance.randrange(8)


def _mend_png(content: bytearray) -> None:
    """Make the checksums of the chunks right."""
    at = 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            return
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[at + 4 : end]))
        at = end + 4


if __name__ == "__main__":
    main()
