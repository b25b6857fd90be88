from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import numpy as np
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from numpy.typing import NDArray

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire_server.serving.access.quotas import Account, Quota
from posewire_server.serving.errors import StreamOrderError
from posewire_server.serving.streams.session import SessionLife
from tests.reference.fake_clock import FakeClock
from tests.reference.numbered_frames import SIDE, frame_request, is_answer_to, person_of
from tests.reference.painting_runner import HeldRunner, PaintingRunner
from tests.reference.session_stream import (
    Stream,
    begun,
    first_x,
    painted_estimator,
    run,
    settled,
    skip_of,
)


@pytest.fixture
def held() -> Iterator[HeldRunner]:
    runner = HeldRunner(person_of)
    yield runner
    runner.release()


def test_the_stream_begins_with_its_terms() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of), window=5, max_frame_age_secs=0.25)
        started = (await stream.next()).started
        assert started.model.name == "painted"
        assert started.max_frames_in_flight == 5
        assert started.max_frame_age.ToMilliseconds() == 250
        assert (started.max_image_bytes, started.max_image_pixels) == (1 << 20, 1 << 20)
        await stream.abandon()

    run(test)


def test_streams_of_one_server_have_ages_of_their_own() -> None:
    async def test() -> None:
        ages = []
        for _ in range(5):
            stream = Stream(PaintingRunner(person_of), life=SessionLife(max_age_secs=100))
            ages.append((await stream.next()).started.max_stream_age.ToMilliseconds() / 1000)
            await stream.abandon()
        assert all(80 <= age <= 120 for age in ages)
        assert len({*ages}) > 1

    run(test)


def test_what_has_no_limit_is_absent_from_the_terms() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of))
        started = (await stream.next()).started
        assert not started.HasField("max_frame_age")
        assert not started.HasField("max_stream_age")
        await stream.abandon()

    run(test)


def test_every_frame_has_its_outcome_in_the_order_sent() -> None:
    chance = random.Random(7)

    async def test() -> None:
        runner = PaintingRunner(person_of, capacity=4, delay=lambda: chance.uniform(0, 0.01))
        stream = Stream(runner)
        await stream.next()
        numbers = [3 * i + 1 for i in range(100)]
        stream.send(*map(frame_request, numbers))
        stream.close()
        for number in numbers:
            outcome = await stream.outcome()
            assert outcome.frame_id == number
            assert outcome.frames_skipped_before == 0
            assert is_answer_to(number, first_x(outcome))
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    run(test)


def test_a_result_says_where_it_comes_from_and_what_it_took() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of, delay=lambda: 0.02))
        await stream.next()
        stream.send(frame_request(1), frame_request(2))
        results = [(await stream.outcome()).result for _ in range(2)]
        for result in results:
            assert result.model_version == "1"
            assert (result.image_width, result.image_height) == (SIDE, SIDE)
            times = result.stage_times
            assert times.inference_duration.ToMilliseconds() >= 20
            stages = [each for each, _ in times.ListFields() if each.name != "total_duration"]
            assert len(stages) == 5
            parts = sum(getattr(times, each.name).ToNanoseconds() for each in stages)
            assert parts <= times.total_duration.ToNanoseconds()
        # One of them, whichever was decoded last, waited while the other ran.
        queued = [result.stage_times.queue_duration.ToMilliseconds() for result in results]
        assert max(queued) >= 10
        await stream.abandon()

    run(test)


def test_no_more_is_read_than_the_window_holds(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, window=3)
        await stream.next()
        stream.send(*map(frame_request, range(1, 11)))
        await begun(held)
        await settled()
        assert stream.read == 3
        held.release()
        assert [(await stream.outcome()).frame_id for _ in range(10)] == list(range(1, 11))
        await stream.abandon()

    run(test)


def test_a_newer_frame_takes_the_place_of_one_that_waits(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, latest=True)
        await stream.next()
        stream.send(frame_request(1))
        await begun(held)
        stream.send(*map(frame_request, range(2, 6)))
        stream.close()
        await settled()
        held.release()
        outcomes = [await stream.outcome() for _ in range(5)]
        assert [each.frame_id for each in outcomes] == [1, 2, 3, 4, 5]
        assert [skip_of(each) for each in outcomes[1:4]] == ["SUPERSEDED"] * 3
        assert [each.frames_skipped_before for each in outcomes] == [0, 0, 1, 2, 3]
        assert is_answer_to(1, first_x(outcomes[0]))
        assert is_answer_to(5, first_x(outcomes[4]))
        assert len(held.images) == 2

    run(test)


def test_superseded_frames_leave_room_for_more(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, latest=True, window=64)
        await stream.next()
        stream.send(frame_request(1))
        await begun(held)
        stream.send(*map(frame_request, range(2, 40)))
        await settled()
        held.release()
        kinds = [(await stream.outcome()).WhichOneof("outcome") for _ in range(39)]
        assert kinds == ["result", *["skipped"] * 37, "result"]
        stream.send(*map(frame_request, range(40, 42)))
        stream.close()
        assert [(await stream.outcome()).frame_id for _ in range(2)] == [40, 41]
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    run(test)


def test_a_frame_that_waited_too_long_is_skipped(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, latest=True, max_frame_age_secs=0.05)
        await stream.next()
        stream.send(frame_request(1))
        await begun(held)
        stream.send(frame_request(2))
        await asyncio.sleep(0.1)
        held.release()
        # Its own wait was short; time on the network does not count.
        assert is_answer_to(1, first_x(await stream.outcome()))
        assert skip_of(await stream.outcome()) == "TOO_OLD"
        stream.send(frame_request(3))
        last = await stream.outcome()
        assert is_answer_to(3, first_x(last))
        assert last.frames_skipped_before == 1
        await stream.abandon()

    run(test)


def test_a_frame_that_grows_too_old_in_front_of_the_network_is_not_run(held: HeldRunner) -> None:
    async def test() -> None:
        lossless = Stream(held)
        latest = Stream(lossless.estimator, latest=True, max_frame_age_secs=0.2)
        await asyncio.gather(lossless.next(), latest.next())
        lossless.send(frame_request(1))
        await begun(held)
        latest.send(frame_request(7))  # prepared at once, then waits
        await asyncio.sleep(0.3)
        held.release()
        assert skip_of(await latest.outcome()) == "TOO_OLD"
        assert is_answer_to(1, first_x(await lossless.outcome()))
        assert len(held.images) == 1
        await asyncio.gather(lossless.abandon(), latest.abandon())

    run(test)


SMALL_BUDGET = 3 * frame_request(1).ByteSize()


def test_latest_skips_a_frame_that_the_byte_budget_has_no_room_for(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(painted_estimator(held, budget_bytes=SMALL_BUDGET), latest=True)
        await stream.next()
        stream.send(frame_request(1))
        await begun(held)
        stream.send(frame_request(2))
        await settled()
        held.release()
        assert is_answer_to(1, first_x(await stream.outcome()))
        assert skip_of(await stream.outcome()) == "OVERLOADED"
        stream.send(frame_request(3))
        assert is_answer_to(3, first_x(await stream.outcome()))
        await stream.abandon()

    run(test)


def test_lossless_waits_for_room_in_the_byte_budget(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(painted_estimator(held, budget_bytes=SMALL_BUDGET))
        await stream.next()
        stream.send(*map(frame_request, range(1, 6)))
        await begun(held)
        await settled()
        assert stream.read == 2
        held.release()
        for number in range(1, 6):
            assert is_answer_to(number, first_x(await stream.outcome()))
        await stream.abandon()

    run(test)


def test_a_bad_frame_is_an_outcome_and_the_stream_goes_on() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of))
        await stream.next()
        raw = image_pb2.RawImage(data=b"123", width=1, height=2, pixel_format=1)
        bad = frame_request(2, image_pb2.Image(raw=raw))
        stream.send(frame_request(1), bad, frame_request(3))
        first, second, third = [await stream.outcome() for _ in range(3)]
        status = second.error.status
        assert status.code == 3
        info, request = ErrorInfo(), BadRequest()
        assert status.details[0].Unpack(info)
        assert status.details[1].Unpack(request)
        assert (info.domain, info.reason) == ("posewire", "IMAGE_INVALID")
        assert request.field_violations[0].field.startswith("frame.image.raw.")
        assert is_answer_to(1, first_x(first))
        assert is_answer_to(3, first_x(third))
        await stream.abandon()

    run(test)


def test_a_defect_is_an_outcome_without_detail_and_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(image: NDArray[np.uint8]) -> NDArray[np.float64]:
        if image[0, 0, 0] == 2:
            raise ZeroDivisionError("a secret")
        return person_of(image)

    async def test() -> None:
        stream = Stream(PaintingRunner(broken))
        await stream.next()
        stream.send(*map(frame_request, range(1, 4)))
        outcomes = [await stream.outcome() for _ in range(3)]
        kinds = [each.WhichOneof("outcome") for each in outcomes]
        assert kinds == ["result", "error", "result"]
        status = outcomes[1].error.status
        assert status.code == 13
        assert b"secret" not in status.SerializeToString()
        await stream.abandon()

    run(test)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (StreamPosesRequest(config=stream_pb2.StreamConfig()), "CONFIG_REPEATED"),
        (StreamPosesRequest(), "MESSAGE_EMPTY"),
        (frame_request(7), "FRAME_ID_NOT_INCREASING"),
        (frame_request(6), "FRAME_ID_NOT_INCREASING"),
    ],
    ids=["config", "empty", "repeated", "backwards"],
)
def test_disorder_ends_the_stream_after_what_was_in_order(
    request_: StreamPosesRequest, reason: str
) -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of))
        await stream.next()
        stream.send(frame_request(5), frame_request(7), request_)
        assert [(await stream.outcome()).frame_id for _ in range(2)] == [5, 7]
        with pytest.raises(StreamOrderError) as caught:
            await stream.next()
        assert caught.value.reason == reason

    run(test)


def test_frame_ids_begin_at_one() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of))
        await stream.next()
        stream.send(frame_request(0))
        with pytest.raises(StreamOrderError, match="frame_id: got 0"):
            await stream.next()

    run(test)


def test_an_abandoned_stream_leaves_the_queue(held: HeldRunner) -> None:
    async def test() -> None:
        stream = Stream(held, window=8)
        await stream.next()
        stream.send(*map(frame_request, range(1, 9)))
        await begun(held)
        await settled()
        await stream.abandon()
        held.release()
        other = Stream(stream.estimator)
        await other.next()
        other.send(frame_request(9))
        assert is_answer_to(9, first_x(await other.outcome()))
        await other.abandon()
        assert len(held.images) == 2

    run(test)


@pytest.mark.parametrize("latest", [False, True])
def test_a_stream_over_its_rate_waits_or_skips_frames(latest: bool) -> None:
    async def test() -> None:
        clock = FakeClock()
        account = Account("camera", Quota(max_rate=2), clock=clock)
        stream = Stream(PaintingRunner(person_of), latest=latest, account=account)
        assert (await stream.next()).HasField("started")
        for number in (1, 2):
            stream.send(frame_request(number))
            assert is_answer_to(number, first_x(await stream.outcome()))
        stream.send(frame_request(3))
        if latest:
            assert skip_of(await stream.outcome()) == "OVERLOADED"
            clock.advance(0.5)
            stream.send(frame_request(4))
            assert is_answer_to(4, first_x(await stream.outcome()))
        else:
            await settled()
            assert stream.read == 3
            answer = asyncio.create_task(stream.outcome())
            await settled()
            assert not answer.done()
            clock.advance(0.5)
            assert is_answer_to(3, first_x(await answer))
        await stream.abandon()

    run(test)
