from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest, StreamPosesRequest
from posewire_server.serving.messages.received import deserializer
from posewire_server.serving.messages.wire_fields import has_at_most, submessages

FRAME = StreamPosesRequest(
    frame=stream_pb2.Frame(
        frame_id=1 << 40,
        image=image_pb2.Image(encoded=image_pb2.EncodedImage(data=bytes(range(256)))),
    )
).SerializeToString()
FIELDS = 5  # frame, frame_id, image, encoded, data
INNER = submessages(StreamPosesRequest.DESCRIPTOR)


def test_fields_of_all_levels_count_and_the_bytes_of_an_image_do_not() -> None:
    assert has_at_most(FIELDS, FRAME, INNER)
    assert not has_at_most(FIELDS - 1, FRAME, INNER)


@pytest.mark.parametrize(
    "data",
    [
        b"\x12\x00\x0a\x00" * 1000,  # config and frame in turn
        b"\x12\xd0\x0f" + b"\x12\x02\x0a\x00" * 500,  # one frame with 500 images
        b"\xfa\x01\x00" * 1000,  # unknown fields
        b"\x0b\x0c" * 500,  # groups
        b"\x12\xd0\x0f" + b"\x12\x02\x0a\x00" * 500 + b"\xff",  # and a cut off end
    ],
    ids=["oneof", "images", "unknown", "groups", "cut off"],
)
def test_many_fields_are_not_parsed(data: bytes) -> None:
    received = deserializer(StreamPosesRequest)(data)
    assert (received.parsed, received.size) == (None, len(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_counted(data: bytes) -> None:
    assert has_at_most(0, data, INNER) == (data == b"")
    has_at_most(1000, data, INNER)


@given(st.integers(0, 2**64 - 1), st.text(max_size=40), st.binary(max_size=300))
def test_honest_messages_are_parsed(frame_id: int, model: str, data: bytes) -> None:
    frame = stream_pb2.Frame(frame_id=frame_id, image=image_pb2.Image())
    frame.image.encoded.data = data
    frame.capture_time.GetCurrentTime()
    for message in (
        StreamPosesRequest(frame=frame),
        StreamPosesRequest(config=stream_pb2.StreamConfig(model=model, resume_token=data)),
        EstimatePosesRequest(model=model, image=frame.image),
    ):
        parsed = deserializer(type(message))(message.SerializeToString()).parsed
        assert parsed == message
