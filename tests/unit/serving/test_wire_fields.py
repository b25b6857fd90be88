from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import EstimatePosesRequest, StreamPosesRequest
from posewire_server.serving.messages.received import deserializer
from posewire_server.serving.messages.wire_fields import message_kind, submessages
from tests.reference import wire_fields as oracle

FRAME = StreamPosesRequest(
    frame=stream_pb2.Frame(
        frame_id=1 << 40,
        image=image_pb2.Image(encoded=image_pb2.EncodedImage(data=bytes(range(256)))),
    )
).SerializeToString()
FIELDS = 5  # frame, frame_id, image, encoded, data
INNER = submessages(StreamPosesRequest.DESCRIPTOR)
KIND = message_kind(StreamPosesRequest.DESCRIPTOR)

# Numbers of every length, also ones that are too large or do not end.
_numbers = st.one_of(
    st.integers(0, 30).map(lambda value: bytes([value])),
    st.binary(min_size=1, max_size=12).map(lambda data: bytes(each | 0x80 for each in data)),
    st.tuples(st.binary(max_size=10), st.integers(0, 127)).map(
        lambda parts: bytes(each | 0x80 for each in parts[0]) + bytes([parts[1]])
    ),
)
# The first fields of messages, their wire types, and parts of fields.
_pieces = st.one_of(
    st.sampled_from([b"\x0a", b"\x12", b"\x1a", b"\x08", b"\x0d", b"\x09", b"\x0b", b"\x0c"]),
    _numbers,
    st.binary(max_size=9),
    st.just(FRAME),
)


def test_fields_of_all_levels_count_and_the_bytes_of_an_image_do_not() -> None:
    assert KIND.has_at_most(FIELDS, FRAME)
    assert not KIND.has_at_most(FIELDS - 1, FRAME)


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


@given(data=st.one_of(st.binary(max_size=200), st.lists(_pieces).map(b"".join)))
def test_any_bytes_are_counted_as_by_the_oracle(data: bytes) -> None:
    for count in range(12):
        assert KIND.has_at_most(count, data) == oracle.has_at_most(count, data, INNER)
    assert KIND.has_at_most(256, data) == oracle.has_at_most(256, data, INNER)


@pytest.mark.parametrize("end", [b"\x01", b"\x02", b"\x7f"], ids=["64 bits", "65 bits", "70 bits"])
@pytest.mark.parametrize("start", [b"\x92", b"\x12", b"\x10"], ids=["key", "size", "value"])
def test_numbers_of_ten_bytes_are_read_as_by_the_oracle(start: bytes, end: bytes) -> None:
    number = b"\x80" * (9 - (start == b"\x92")) + end
    for rest in (b"", b"\x02\x0a\x00", b"\x0a\x00" * 3):
        data = start + number + rest
        for count in range(5):
            assert KIND.has_at_most(count, data) == oracle.has_at_most(count, data, INNER)


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
