"""Both decoders behind one function, for tests that hold for either."""

from __future__ import annotations

from typing import Any

from posewire_decoder import Decoder, DecoderOptions, ReferenceDecoder, ReferenceOptions

Options = DecoderOptions | ReferenceOptions


def options_for(*, reference: bool, **options: Any) -> Options:
    return ReferenceOptions(**options) if reference else DecoderOptions(**options)


def decoder_for(options: Options) -> Decoder | ReferenceDecoder:
    """The decoder that has these options."""
    if isinstance(options, ReferenceOptions):
        return ReferenceDecoder(options)
    return Decoder(options)
