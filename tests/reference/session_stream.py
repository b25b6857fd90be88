"""A session with its client, without a network between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from posewire.v1 import stream_pb2
from posewire.v1.pose_service_pb2 import StreamPosesRequest, StreamPosesResponse
from posewire_decoder import SmootherOptions
from posewire_server.estimation.options import EstimateOptions
from posewire_server.image.limits import ImageLimits
from posewire_server.serving.access.quotas import Account
from posewire_server.serving.errors import StreamOrderError, UnavailableError
from posewire_server.serving.frames.estimator import Estimator
from posewire_server.serving.messages.received import Received
from posewire_server.serving.scheduling.byte_budget import ByteBudget
from posewire_server.serving.streams.resume_key import ResumeKey
from posewire_server.serving.streams.session import Session, SessionLife
from posewire_server.serving.streams.session_config import SessionConfig
from posewire_server.serving.streams.stream_tracks import open_tracks
from tests.reference.numbered_frames import SIDE
from tests.reference.painting_runner import HeldRunner, PaintingRunner, painted_model

LIMITS = ImageLimits(max_bytes=1 << 20, max_pixels=1 << 20)
PATIENCE_SECS = 20


class Stream:
    """A session with its client: `send` and `close` on one side, `next` on the other."""

    def __init__(
        self,
        served_by: PaintingRunner | Estimator,
        *,
        latest: bool = False,
        window: int = 8,
        max_frame_age_secs: float | None = None,
        life: SessionLife | None = None,
        account: Account | None = None,
        track: bool = False,
        smoothing: SmootherOptions | None = None,
        resume_token: bytes = b"",
        key: ResumeKey | None = None,
        options: EstimateOptions | None = None,
    ) -> None:
        if isinstance(served_by, PaintingRunner):
            self.estimator = painted_estimator(served_by)
        else:
            self.estimator = served_by
        config = SessionConfig(
            options=options or EstimateOptions(),
            latest=latest,
            window=window,
            max_frame_age_secs=max_frame_age_secs,
            track=track,
            smoothing=smoothing,
            resume_token=resume_token,
        )
        tracks = open_tracks(self.estimator.model, config, key or ResumeKey())
        self.session = Session(self.estimator, config, life, account=account, tracks=tracks)
        self.read = 0
        self._requests: asyncio.Queue[StreamPosesRequest | None] = asyncio.Queue()
        self._responses: asyncio.Queue[StreamPosesResponse | BaseException] = asyncio.Queue()
        self._call = asyncio.create_task(self._received())

    def send(self, *requests: StreamPosesRequest) -> None:
        for request in requests:
            self._requests.put_nowait(request)

    def close(self) -> None:
        self._requests.put_nowait(None)

    async def next(self) -> StreamPosesResponse:
        """Raises what ends the call; `StopAsyncIteration` is a good end."""
        response = await asyncio.wait_for(self._responses.get(), PATIENCE_SECS)
        if isinstance(response, BaseException):
            raise response
        return response

    async def outcome(self) -> stream_pb2.FrameOutcome:
        response = await self.next()
        assert response.WhichOneof("event") == "outcome", response
        return response.outcome

    async def abandon(self) -> None:
        self._call.cancel()
        await asyncio.wait([self._call])

    async def _received(self) -> None:
        end: BaseException = StopAsyncIteration()
        try:
            async with aclosing(self.session.responses(self._incoming())) as responses:
                async for response in responses:
                    self._responses.put_nowait(StreamPosesResponse.FromString(response))
        except (StreamOrderError, UnavailableError) as error:
            end = error
        self._responses.put_nowait(end)

    async def _incoming(self) -> AsyncIterator[Received[StreamPosesRequest]]:
        while (request := await self._requests.get()) is not None:
            self.read += 1
            yield Received(request, request.ByteSize())


def painted_estimator(
    runner: PaintingRunner, *, waiting: int = 64, budget_bytes: int = 1 << 30
) -> Estimator:
    return Estimator(
        painted_model(runner, size=SIDE),
        limits=LIMITS,
        waiting=waiting,
        budget=ByteBudget(budget_bytes),
    )


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 2 * PATIENCE_SECS))


async def settled() -> None:
    """Lets everything happen that needs no more time."""
    for _ in range(20):
        await asyncio.sleep(0)


async def begun(runner: HeldRunner) -> None:
    assert await asyncio.to_thread(runner.has_begun)


def skip_of(outcome: stream_pb2.FrameOutcome) -> str:
    assert outcome.WhichOneof("outcome") == "skipped", outcome
    return stream_pb2.SkipReason.Name(outcome.skipped.reason).removeprefix("SKIP_REASON_")


def first_x(outcome: stream_pb2.FrameOutcome) -> float:
    assert outcome.WhichOneof("outcome") == "result", outcome
    return outcome.result.poses[0].keypoints[0].x
