"""What the cases in tests/clients/session_cases.yaml leave open: messages, images, exceptions."""

from __future__ import annotations

from typing import Any

import pytest

from posewire.v1 import pose_service_pb2
from posewire_client import ProtocolError, Result
from tests.reference.client_session import ids, opened, put, sent, session_of
from tests.reference.scripted_service import draining, result_for, started


def test_a_frame_is_sent_again_with_its_image() -> None:
    session = session_of()
    opened(session)
    put(session, 2)
    sent(session)
    session.receive(draining())
    assert session.end_call(None) == 0
    opened(session)
    again = sent(session)
    assert ids(again) == [1, 2]
    assert [each.frame.image.encoded.data for each in again] == [b"image", b"image"]


def test_the_exception_of_the_source_is_raised_as_it_is() -> None:
    session = session_of()
    opened(session)
    put(session, 1)
    session.finish_source(ZeroDivisionError("in the camera"))
    (only,) = sent(session)
    session.receive(result_for(only))
    session.end_call(None)
    assert isinstance(session.take(), Result)
    with pytest.raises(ZeroDivisionError):
        session.take()


@pytest.mark.parametrize("first", [draining(), result_for(pose_service_pb2.StreamPosesRequest())])
def test_a_response_before_the_start_is_named(first: Any) -> None:
    session = session_of()
    session.open_call()
    with pytest.raises(ProtocolError, match="before it started"):
        session.receive(first)


def test_a_second_start_is_named() -> None:
    session = session_of()
    opened(session)
    with pytest.raises(ProtocolError, match="twice"):
        session.receive(started())


def test_a_window_of_0_is_named() -> None:
    with pytest.raises(ProtocolError, match="window of 0"):
        opened(session_of(), window=0)


def test_frames_in_the_wrong_order_are_named() -> None:
    session = session_of()
    opened(session)
    put(session, 2)
    _, second = sent(session)
    with pytest.raises(ProtocolError, match=r"answered frame 2, but the oldest .* is 1"):
        session.receive(result_for(second))
