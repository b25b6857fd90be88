"""Kinds of messages, for counting the fields of a serialized one before it is parsed."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor

from posewire_decoder import MessageKind
from posewire_decoder.messages import Submessages


def message_kind(kind: Descriptor) -> MessageKind:
    """Return a kind of message, which must not contain itself."""
    return MessageKind(submessages(kind))


def submessages(kind: Descriptor) -> Submessages:
    """Return the submessages of a kind of message, which must not contain itself."""
    return {
        field.number: submessages(field.message_type)
        for field in kind.fields
        if field.message_type is not None
    }
