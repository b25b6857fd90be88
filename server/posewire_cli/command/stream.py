"""`posewire stream`: the people in a video, a camera's picture or a network stream."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from time import monotonic, sleep
from typing import TYPE_CHECKING

from posewire_cli.command.argument_types import count, seconds
from posewire_cli.command.estimate_arguments import add_estimate_arguments, estimate_options
from posewire_cli.command.output_arguments import (
    add_output_arguments,
    drawn_keypoint_score,
    file_writers,
)
from posewire_cli.command.target_arguments import add_target_arguments, check_target

if TYPE_CHECKING:
    from collections.abc import Callable

    from posewire_cli.batches import Pixels, Send
    from posewire_cli.command.connection import Connection
    from posewire_cli.output.answered_image import Writer
    from posewire_cli.source.video_source import VideoSource
    from posewire_client import FrameInput, Skeleton


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "stream",
        help="find the people in a video or a camera's frames",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Find the people in a video file, a camera's frames or a network stream.

            What came of all frames is told at the end. Ctrl-C ends it and finishes what is
            being written."""),
        epilog="example: posewire stream --model demo --annotated drawn.mp4 video.mp4",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a video file, a camera's number such as 0, or an address such as rtsp://host/path",
    )
    add_target_arguments(parser)
    _add_delivery_arguments(parser)
    add_estimate_arguments(parser)
    add_output_arguments(
        parser,
        image_ids="an image's id is the number of its frame, from 0 on",
        annotated=("FILE", "write a video with the poses drawn into it: .mp4, .avi or .webm"),
    )
    parser.set_defaults(run=lambda options: _run(check_target(parser, options)))


def _add_delivery_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how frames are sent")
    group.add_argument(
        "--delivery",
        choices=("lossless", "latest"),
        help="handle every frame, or always the newest and skip those that waited too long for it "
        "(default: latest for cameras and live streams, else lossless); files are read as fast as "
        "they play with latest",
    )
    group.add_argument(
        "--max-frame-age",
        metavar="SECONDS",
        type=seconds,
        help="skip frames that have waited longer; only with latest (default: none is too old)",
    )
    group.add_argument(
        "--window", metavar="N", type=count, help="frames on their way (default: the server's)"
    )
    group.add_argument(
        "--encoding",
        choices=("raw", "jpeg"),
        help="send pixels as they are, or JPEG of quality 90, which needs a tenth of the network "
        "(default: jpeg to another server, else raw)",
    )
    group.add_argument("--frames", metavar="N", type=count, help="only the first N frames")


def _run(options: argparse.Namespace) -> int:
    from posewire_cli.batches import estimate_frames
    from posewire_cli.command.connection import connected
    from posewire_cli.output.summary import Summary
    from posewire_cli.output.writing import write_all
    from posewire_cli.source.video_source import VideoSource, check_source
    from posewire_client import FrameFailure

    check_source(options.source)
    # The source last: from then on a live one has frames that somebody should take.
    with connected(options) as connection, closing(VideoSource(options.source)) as source:
        is_latest = source.is_live if options.delivery is None else options.delivery == "latest"
        frames = _paced(source) if is_latest and not source.is_live else source.frames()
        summary = Summary()
        try:
            write_all(
                estimate_frames(
                    _stream(options, connection, is_latest=is_latest),
                    islice(frames, options.frames),
                    name=source.name,
                    file_stem=source.file_stem,
                    encode=_sent(options),
                ),
                [summary, *_writers(options, connection.model.skeleton, rate=source.rate)],
                total=min(filter(None, (source.frame_count, options.frames)), default=None),
                unit="frame",
                hide_bar=options.json and sys.stdout.isatty(),
            )
        finally:
            print(*summary.lines(), sep="\n", file=sys.stderr if options.json else sys.stdout)
    return 1 if summary.counts[FrameFailure] else 0


def _stream(options: argparse.Namespace, connection: Connection, *, is_latest: bool) -> Send:
    from posewire_client import Delivery

    return partial(
        connection.client.stream,
        model=connection.model.name,
        options=estimate_options(options),
        delivery=Delivery.LATEST if is_latest else Delivery.LOSSLESS,
        window=options.window,
        max_frame_age_secs=options.max_frame_age,
    )


def _sent(options: argparse.Namespace) -> Callable[[Pixels], FrameInput]:
    """What makes of a frame that which is sent."""
    usual = "raw" if options.server is None else "jpeg"
    return _as_jpeg if (options.encoding or usual) == "jpeg" else _as_it_is


def _as_it_is(frame: Pixels) -> Pixels:
    return frame


def _as_jpeg(frame: Pixels) -> bytes:
    import cv2

    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _paced(source: VideoSource) -> Iterable[Pixels]:
    """The frames of a file as they would come from a camera."""
    began = monotonic()
    for number, frame in enumerate(source.frames()):
        sleep(max(0.0, began + number / source.rate - monotonic()))
        yield frame


def _writers(options: argparse.Namespace, skeleton: Skeleton, *, rate: float) -> Iterator[Writer]:
    from posewire_cli.output.annotated_video import AnnotatedVideo
    from posewire_cli.output.json_lines import JsonLines

    if options.json:
        yield JsonLines(skeleton)
    yield from file_writers(options)
    if options.annotated is not None:
        yield AnnotatedVideo(
            options.annotated,
            skeleton,
            rate=rate,
            min_keypoint_score=drawn_keypoint_score(options),
        )
