"""The blocking client."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from types import TracebackType

from posewire.v1 import pose_service_pb2
from posewire_client.backoff import checked_timeout
from posewire_client.base_client import BaseClient
from posewire_client.blocking_stream import BlockingStream
from posewire_client.channel import (
    BlockingChannel,
    BlockingMethod,
    BlockingStreamCall,
    BlockingStub,
    CallError,
    Request,
    Response,
    blocking_channel,
    blocking_stub,
    error_from_call,
    translate_closed_channel,
)
from posewire_client.errors import CallCancelledError, ClientClosedError, ProtocolError, StatusError
from posewire_client.frames import FrameSource, open_frames
from posewire_client.health import is_serving
from posewire_client.image import ImageInput
from posewire_client.model import Model
from posewire_client.options import Delivery, EstimateOptions, SmoothingOptions
from posewire_client.pixels import Color
from posewire_client.request import estimate_request, frame_builder, kept_image, stream_config
from posewire_client.response import model_from_message, result_from_response
from posewire_client.result import Outcome, Result
from posewire_client.skeleton import Skeleton
from posewire_client.skeleton_cache import DESCRIBE_SECS


class Client(BaseClient[BlockingChannel, BlockingStub, BlockingStream, threading.Event]):
    """A blocking client of a posewire server. Thread-safe.

    `target` is HOST:PORT, [IPV6]:PORT, unix:PATH or another gRPC target such as dns:///HOST:PORT;
    others, and those without a port, raise ValueError. Without `tls` the connection is not
    encrypted. Instead of a target, pass a `channel` of your own, which the client does not close.

    `token` is sent with every call, only over TLS unless `allow_token_without_tls` is set, for
    example for a server of this machine.

    `timeout_secs` is the deadline of a call, including connecting and all retries. For a stream it
    bounds each wait for the server, and not the whole:

    - for the stream to start, each time it is opened, connecting included;
    - for the next outcome while frames are in flight, counted from the previous message of the
      server, or from sending a frame if none was in flight;
    - for the end of the stream after the last outcome.

    The time during which the caller holds frames back does not count. A wait that is too long
    raises DeadlineExceededError, except that a stream which is reopened after a loss is opened
    again until `retry_for_secs` are over.

    `retry_for_secs` bounds how long transient errors are retried: an unavailable, busy or draining
    server, or a lost connection. It counts from the first of several consecutive failures; a result
    or an outcome ends the count. The last error is raised when the time is over. 0 means no
    retries, None or `math.inf` means retrying for ever. Delays grow from 0.2 to 10 seconds, with
    jitter, and are at least what the server asks for.

    While calls wait for a server that is gone or busy, `on_wait` is called with a `Waiting` at each
    pause, and with None once the server answers or the last of the calls has given up. It runs in a
    thread of the client, or on the event loop of an AsyncClient, so it should return at once. A
    wait of more than a second is also a warning of the logger "posewire_client".

    Every call raises StatusError if the server answers with an error.
    """

    _make_event = staticmethod(threading.Event)
    _make_channel = staticmethod(blocking_channel)
    _make_stub = staticmethod(blocking_stub)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Refuse further calls.

        Calls and streams in progress raise ClientClosedError, unless the caller owns the channel.
        """
        self._closed.set()
        if self._owns_channel:
            for stream in self._tracked_streams():
                stream.abort(ClientClosedError("the client was closed before the last outcome"))
            self._channel.close()

    def models(self, *, timeout_secs: float | None = None) -> tuple[Model, ...]:
        """List the models of the server."""
        request = pose_service_pb2.ListModelsRequest()
        response = self._call(self._stub.ListModels, request, timeout_secs)
        return tuple(self._skeletons.add(model_from_message(each)) for each in response.models)

    def model(self, name: str = "", *, timeout_secs: float | None = None) -> Model:
        """Describe one model, by default the server's default; raises NotFoundError."""
        request = pose_service_pb2.GetModelRequest(model=name)
        response = self._call(self._stub.GetModel, request, timeout_secs)
        return self._skeletons.add(model_from_message(response.model))

    def is_ready(self, *, timeout_secs: float = 5.0) -> bool:
        """Return whether the server takes calls, by its health check.

        False if it starts, stops, cannot be reached or does not answer in time; nothing is retried.
        A server without health checks raises UnimplementedError.
        """
        self._check_open()
        return is_serving(self._channel, timeout_secs=checked_timeout(timeout_secs))

    def estimate(
        self,
        image: ImageInput,
        *,
        model: str = "",
        options: EstimateOptions | None = None,
        color: Color = "bgr",
        timeout_secs: float | None = None,
    ) -> Result:
        """Estimate the poses in one image. An empty `model` means the server's default.

        `image` is the bytes or the path of an image file, an `EncodedImage`, an image of Pillow, or
        a uint8 array with any strides: (h, w, 3) or (h, w, 4) with its channels in the order
        `color`, or (h, w) or (h, w, 1) of grey. Alpha is ignored. The first result with a model
        takes a further call, GetModel, for its skeleton.
        """
        request = estimate_request(image, model=model, options=options, color=color)
        response = self._call(self._stub.EstimatePoses, request, timeout_secs)
        skeleton = self._skeleton(response.model, response.model_version)
        return result_from_response(response, skeleton=skeleton, image=kept_image(image))

    def stream(
        self,
        frames: FrameSource,
        *,
        model: str = "",
        options: EstimateOptions | None = None,
        delivery: Delivery = Delivery.LOSSLESS,
        window: int | None = None,
        max_frame_age_secs: float | None = None,
        track: bool = False,
        smoothing: bool = False,
        smoothing_options: SmoothingOptions | None = None,
        color: Color = "bgr",
        keep_images: bool = False,
        timeout_secs: float | None = None,
    ) -> Generator[Outcome, None, None]:
        """Yield one outcome per frame, in order: a Result, a FrameFailure or a Skipped.

        At most `window` frames are in flight, fewer if the server's limit is lower. If the
        connection is lost or the server drains, the client opens a new stream and resends the
        frames without an outcome. With Delivery.LATEST a newer frame replaces one that still waits.
        An exception from `frames` is raised after the outcomes of the frames before it.

        `frames` is an iterable of images, or the path or address of a video that OpenCV can read,
        if it is installed.

        It is read in its own thread. The client holds a bounded number of frames, however
        slow the consumer is: at most a window of them that are in flight or whose outcome has not
        been consumed, and one that waits to be sent. A slow consumer therefore holds `frames` back.
        With Delivery.LATEST it does not: `frames` is read on and the newest frame waits. The frames
        that it replaced take no memory, and each still has its outcome, a Skipped.

        `color` is the order of the channels of arrays. With `keep_images` each result keeps its
        image, so that it can be plotted; results that you keep then keep their images in memory.

        Closing the generator cancels the call. `Client` describes `timeout_secs`, and the comments
        in stream.proto the other options.
        """
        source = open_frames(frames)
        config = stream_config(
            model=model,
            options=options,
            delivery=delivery,
            window=window,
            max_frame_age_secs=max_frame_age_secs,
            track=track,
            smoothing=smoothing,
            smoothing_options=smoothing_options,
        )
        build_request = frame_builder(color=color, keep_images=keep_images)
        session = self._begin_stream(config, timeout_secs)
        stream = BlockingStream(session, self._open_stream, build_request, self._begin_wait())
        return self._track(stream).outcomes(source)

    def _skeleton(self, model: str, version: str) -> Skeleton | None:
        """Return the skeleton, which the first result with a model requests from the server."""
        if not self._skeletons.has(model, version):
            try:
                described = self.model(model, timeout_secs=DESCRIBE_SECS)
            except (ProtocolError, StatusError) as error:
                self._skeletons.put_failure(model, version, error)
            else:
                self._skeletons.put(model, version, described.skeleton)
        return self._skeletons.get(model, version)

    def _open_stream(
        self, requests: Iterator[pose_service_pb2.StreamPosesRequest]
    ) -> BlockingStreamCall:
        self._check_open()
        with translate_closed_channel():
            return self._stub.StreamPoses(requests, metadata=self._metadata)

    def _call(
        self,
        method: BlockingMethod[Request, Response],
        request: Request,
        timeout_secs: float | None,
    ) -> Response:
        attempts = self._begin_call(timeout_secs)
        wait = self._begin_wait()
        try:
            while True:
                try:
                    with translate_closed_channel():
                        return method(
                            request, timeout=attempts.remaining_secs(), metadata=self._metadata
                        )
                except CallError as raised:
                    error = error_from_call(raised)
                if isinstance(error, CallCancelledError):
                    self._check_open()
                delay = attempts.delay_after(error)
                wait.begin(error, delay)
                self._closed.wait(delay)
                self._check_open()
        finally:
            wait.end()
