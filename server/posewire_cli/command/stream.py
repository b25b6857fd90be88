"""`posewire stream`: find people in a video, camera or network stream."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from functools import partial
from itertools import islice
from time import monotonic, sleep

from posewire_cli.batches import Pixels, Send, estimate_frames
from posewire_cli.command.connection import Connection, connect
from posewire_cli.command.delivery_options import DeliveryOptions
from posewire_cli.command.demo_warning import warn_about_demo
from posewire_cli.command.drawing_options import DrawingOptions
from posewire_cli.command.estimation_options import EstimationOptions
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.command.tracking_options import TrackingOptions
from posewire_cli.command.video_output_options import VideoOutputOptions
from posewire_cli.output.drawn_frames import DrawnFrames
from posewire_cli.output.summary import Summary
from posewire_cli.output.writing import write_all
from posewire_cli.source.video_source import VideoSource, check_source
from posewire_client import Delivery, EstimateOptions, FrameFailure


def stream(
    source: str,
    /,
    *,
    target: TargetOptions = TargetOptions(),
    delivery: DeliveryOptions = DeliveryOptions(),
    estimation: EstimationOptions = EstimationOptions(),
    tracking: TrackingOptions = TrackingOptions(),
    output: VideoOutputOptions = VideoOutputOptions(),
    drawing: DrawingOptions = DrawingOptions(),
) -> int:
    """
    Parameters
    ----------
    source
        Video file, camera number such as 0, or address such as rtsp://host/path.
    """
    target.check()
    tracking.check()
    check_source(source)
    output.check(source, model_files=target.model_files(), track=tracking.track)
    summary = Summary(timings=output.timings)
    # The source is opened last: a live one has frames to read from then on.
    with connect(target) as connection, closing(VideoSource(source)) as video:
        warn_about_demo(connection.model.name, [source])
        is_latest = delivery.is_latest(video)
        delivery.check(is_latest=is_latest)
        frames = _play(video) if is_latest and not video.is_live else video.frames()
        style = drawing.to_style(default="person", min_keypoint_score=estimation.min_keypoint_score)
        draw = partial(
            DrawnFrames,
            connection.model.skeleton,
            style,
            timings=output.timings,
            tracked=tracking.track,
            trail_frames=tracking.trail_frames(video.rate),
        )
        writers = output.writers(connection.model.skeleton, draw, video)
        try:
            write_all(
                estimate_frames(
                    _send(
                        connection,
                        estimation.to_client(),
                        delivery,
                        tracking,
                        is_latest=is_latest,
                    ),
                    islice(frames, delivery.frames),
                    name=video.name,
                    file_stem=video.file_stem,
                    captured_secs=video.captured_secs,
                    encode=delivery.encoder(remote=target.server is not None),
                ),
                [summary, *writers],
                total=min(filter(None, (video.frame_count, delivery.frames)), default=None),
                unit="frame",
                hide_bar=output.json and sys.stdout.isatty(),
            )
        finally:
            print(*summary.lines(), sep="\n", file=sys.stderr if output.json else sys.stdout)
    return 1 if summary.counts[FrameFailure] else 0


def _send(
    connection: Connection,
    options: EstimateOptions,
    delivery: DeliveryOptions,
    tracking: TrackingOptions,
    *,
    is_latest: bool,
) -> Send:
    return partial(
        connection.client.stream,
        model=connection.model.name,
        options=options,
        delivery=Delivery.LATEST if is_latest else Delivery.LOSSLESS,
        window=delivery.window,
        max_frame_age_secs=delivery.max_frame_age,
        track=tracking.track,
        smoothing=tracking.smooth,
    )


def _play(source: VideoSource) -> Iterable[Pixels]:
    """Yield the frames of a file in real time."""
    began = monotonic()
    for number, frame in enumerate(source.frames()):
        sleep(max(0.0, began + number / source.rate - monotonic()))
        yield frame
