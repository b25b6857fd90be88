"""Streams with tracking: ids in the order of frames, smoothing, and resume tokens."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from posewire.v1 import image_pb2, stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest
from posewire_decoder import SmootherOptions
from posewire_server.estimation.options import EstimateOptions
from posewire_server.serving.streams.resume_key import ResumeKey
from posewire_server.serving.streams.smoothing_config import read_smoothing
from posewire_server.skeleton import COCO
from tests.reference.colour_network import person_at
from tests.reference.numbered_frames import SIDE, frame_request, numbered_image, person_of
from tests.reference.painting_runner import HeldRunner, PaintingRunner
from tests.reference.session_stream import Stream, begun, first_x, run, settled, skip_of

KEY = ResumeKey(b"k" * 32)


def person_and_newcomer(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """A person, and from frame 6 on another one below."""
    person = person_of(image)
    number = image[SIDE // 2, SIDE // 2, 0]
    return np.concatenate((person, person_at(70, 80, 10)[None])) if number >= 6 else person


def ids(outcome: stream_pb2.FrameOutcome) -> list[int]:
    assert outcome.WhichOneof("outcome") == "result", outcome
    return sorted(
        pose.track_id if pose.HasField("track_id") else 0 for pose in outcome.result.poses
    )


def captured(number: int, secs: float, content: int | None = None) -> StreamPosesRequest:
    request = frame_request(number, None if content is None else numbered_image(content))
    request.frame.capture_time.FromNanoseconds(round(secs * 1e9))
    return request


def broken(number: int) -> StreamPosesRequest:
    image = image_pb2.Image(encoded=image_pb2.EncodedImage(data=b"not an image"))
    return frame_request(number, image)


class FlippedPerson:
    """Sees the person of a numbered frame where they are, then where they are in its mirror."""

    def __init__(self) -> None:
        self._is_mirrored = True

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.float64]:
        person = person_of(image)
        self._is_mirrored = not self._is_mirrored
        if self._is_mirrored:
            person = person[:, COCO.mirrored_keypoints]
            person[..., 0] = SIDE - person[..., 0]
        return person


async def started(stream: Stream) -> stream_pb2.StreamStarted:
    return (await stream.next()).started


def test_poses_have_ids_only_in_streams_that_track() -> None:
    async def test() -> None:
        for track in (True, False):
            stream = Stream(PaintingRunner(person_of), track=track)
            assert not (await started(stream)).resumed
            stream.send(frame_request(1), frame_request(2))
            outcomes = [await stream.outcome() for _ in range(2)]
            assert [ids(each) for each in outcomes] == [[int(track)]] * 2
            assert bool(outcomes[0].resume_token) == track
            assert [first_x(each) for each in outcomes] == pytest.approx([11, 12], abs=0.5)
            await stream.abandon()

    run(test)


def test_tracks_and_smoothing_go_with_a_flip_test() -> None:
    async def test() -> None:
        runner = PaintingRunner(FlippedPerson())
        flip_test = EstimateOptions(flip_test=True)
        stream = Stream(runner, track=True, smoothing=SmootherOptions(), options=flip_test)
        await started(stream)
        numbers = [1, 2, 3, 9, 4]
        stream.send(*(captured(i, i / 25, number) for i, number in enumerate(numbers, start=1)))
        outcomes = [await stream.outcome() for _ in numbers]
        assert [ids(each) for each in outcomes] == [[1]] * 5
        assert len(runner.images) == 10
        found = [first_x(each) for each in outcomes]
        assert found[0] == pytest.approx(11, abs=0.5)
        assert 13.5 < found[3] < 18.5  # smoothed
        await stream.abandon()

    run(test)


def test_frames_that_fail_do_not_break_tracks() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_and_newcomer), track=True)
        await started(stream)
        stream.send(frame_request(1), broken(2), frame_request(3), broken(4), frame_request(7))
        outcomes = [await stream.outcome() for _ in range(5)]
        assert [each.WhichOneof("outcome") for each in outcomes] == [
            *("result", "error", "result", "error", "result")
        ]
        assert [ids(outcomes[i]) for i in (0, 2, 4)] == [[1], [1], [1, 2]]
        await stream.abandon()

    run(test)


def test_skipped_frames_do_not_break_tracks() -> None:
    async def test() -> None:
        runner = HeldRunner(person_of)
        stream = Stream(runner, track=True, latest=True)
        await started(stream)
        stream.send(frame_request(1))
        await begun(runner)
        stream.send(frame_request(2), frame_request(3))
        await settled()
        runner.release()
        outcomes = [await stream.outcome() for _ in range(3)]
        assert skip_of(outcomes[1]) == "SUPERSEDED"
        assert ids(outcomes[0]) == ids(outcomes[2]) == [1]
        assert not outcomes[1].resume_token
        await stream.abandon()

    run(test)


def test_tracks_end_by_the_time_of_capture() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of), track=True)
        await started(stream)
        for number, (secs, wanted) in enumerate([(50.0, 1), (51.9, 1), (54.0, 2)], 1):
            stream.send(captured(number, secs))
            assert ids(await stream.outcome()) == [wanted]
        await stream.abandon()

    run(test)


def test_smoothed_positions_follow_those_found() -> None:
    async def test() -> None:
        stream = Stream(PaintingRunner(person_of), track=True, smoothing=SmootherOptions())
        await started(stream)
        places = []
        for frame, number in enumerate((1, 2, 12)):
            stream.send(captured(number, frame / 25))
            places.append(first_x(await stream.outcome()))
        assert places[0] == pytest.approx(11, abs=0.5)
        assert 12.5 < places[2] < 21.5
        await stream.abandon()

    run(test)


def test_smoothing_options_are_read_with_defaults() -> None:
    given = stream_pb2.SmoothingOptions(min_cutoff_hz=0.25, cutoff_per_speed=0)
    assert read_smoothing(given) == SmootherOptions(min_cutoff_hz=0.25, cutoff_per_speed=0)
    given = stream_pb2.SmoothingOptions(speed_cutoff_hz=4)
    given.max_gap.FromMilliseconds(1500)
    assert read_smoothing(given) == SmootherOptions(speed_cutoff_hz=4, max_gap_secs=1.5)
    assert read_smoothing(stream_pb2.SmoothingOptions()) == SmootherOptions()


def test_smoothing_options_reach_the_smoother() -> None:
    async def places(**options: float) -> float:
        smoothing = SmootherOptions(**options)
        stream = Stream(PaintingRunner(person_of), track=True, smoothing=smoothing)
        await started(stream)
        for frame, number in enumerate((1, 2, 12)):
            stream.send(captured(number, frame / 25))
            place = first_x(await stream.outcome())
        await stream.abandon()
        return place

    async def test() -> None:
        rigid = await places(min_cutoff_hz=0.01, cutoff_per_speed=0)
        loose = await places(min_cutoff_hz=1000)
        assert rigid == pytest.approx(11, abs=0.7)
        assert loose == pytest.approx(22, abs=0.7)

    run(test)


async def token_of(*numbers: int, key: ResumeKey = KEY) -> bytes:
    """The newest token of a stream with these frames."""
    stream = Stream(PaintingRunner(person_and_newcomer), track=True, key=key)
    await started(stream)
    token = b""
    for number in numbers:
        stream.send(captured(number, number / 25))
        token = (await stream.outcome()).resume_token or token
    await stream.abandon()
    return token


def test_ids_go_on_at_another_server_with_the_same_key() -> None:
    async def test() -> None:
        token = await token_of(1, 2, 3)
        assert 100 < len(token) < 1000
        runner = PaintingRunner(person_and_newcomer)
        stream = Stream(runner, track=True, key=ResumeKey(b"k" * 32), resume_token=token)
        assert (await started(stream)).resumed
        for number, wanted in ((5, [1]), (6, [1, 2]), (7, [1, 2])):
            stream.send(captured(number, number / 25))
            assert ids(await stream.outcome()) == wanted
        await stream.abandon()

    run(test)


def test_no_id_is_given_again_after_a_resume() -> None:
    async def test() -> None:
        token = await token_of(1, 6)
        stream = Stream(PaintingRunner(person_of), track=True, key=KEY, resume_token=token)
        await started(stream)
        stream.send(captured(1, 100))  # both tracks are over
        assert ids(await stream.outcome()) == [3]
        await stream.abandon()

    run(test)


@pytest.mark.parametrize("fault", ["other key", "changed", "cut", "noise", "other model"])
def test_a_token_that_cannot_be_used_is_ignored(fault: str) -> None:
    async def test() -> None:
        token = await token_of(1, 6)
        key = KEY
        if fault == "other key":
            key = ResumeKey(b"x" * 32)
        elif fault == "changed":
            token = token[:-1] + bytes([token[-1] ^ 1])
        elif fault == "cut":
            token = token[:20]
        elif fault == "noise":
            token = bytes(500)
        else:
            state = KEY.open("painted", token)
            assert state is not None
            token = KEY.seal("another", state)
        stream = Stream(PaintingRunner(person_of), track=True, key=key, resume_token=token)
        assert not (await started(stream)).resumed
        stream.send(frame_request(1))
        assert ids(await stream.outcome()) == [1]
        await stream.abandon()

    run(test)


def test_a_state_of_another_version_is_ignored() -> None:
    async def test() -> None:
        token = KEY.seal("painted", b"\xff of the future")
        stream = Stream(PaintingRunner(person_of), track=True, key=KEY, resume_token=token)
        assert not (await started(stream)).resumed
        await stream.abandon()

    run(test)


def test_tokens_come_with_new_ids_and_while_draining() -> None:
    async def test() -> None:
        runner = HeldRunner(person_and_newcomer)
        stream = Stream(runner, track=True, key=KEY)
        await started(stream)
        stream.send(*(captured(number, number / 25) for number in (1, 2, 6, 7)))
        await begun(runner)
        runner.release()
        outcomes = [await stream.outcome() for _ in range(4)]
        assert [bool(each.resume_token) for each in outcomes][::2] == [True, True]
        stream.session.drain()
        drained = (await stream.next()).draining
        assert KEY.open("painted", drained.resume_token)
        stream.close()
        with pytest.raises(StopAsyncIteration):
            await stream.next()

    run(test)


def test_outcomes_after_the_drain_have_tokens() -> None:
    async def test() -> None:
        runner = HeldRunner(person_of)
        stream = Stream(runner, track=True, key=KEY)
        await started(stream)
        stream.send(frame_request(1), frame_request(2))
        await begun(runner)
        stream.session.drain()
        assert (await stream.next()).draining.resume_token
        runner.release()
        assert all([(await stream.outcome()).resume_token for _ in range(2)])
        await stream.abandon()

    run(test)
