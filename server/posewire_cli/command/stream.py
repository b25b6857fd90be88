"""`posewire stream`: find people in a video, camera or network stream."""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

import cv2
from cyclopts import Group, Parameter

from posewire_cli.batches import Pixels, Send, estimate_frames, frame_stem
from posewire_cli.command.connection import Connection, connect
from posewire_cli.command.demo_warning import warn_about_demo
from posewire_cli.command.drawing_options import DrawingOptions
from posewire_cli.command.estimation_options import EstimationOptions
from posewire_cli.command.option_types import Count, OutputPath, Seconds
from posewire_cli.command.output_options import OUTPUT, OutputOptions
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.errors import UsageError
from posewire_cli.output.annotated_video import AnnotatedVideo, check_suffix
from posewire_cli.output.answered_image import Writer
from posewire_cli.output.drawn_frames import DrawnFrames
from posewire_cli.output.json_lines import JsonLines
from posewire_cli.output.openpose_files import openpose_file
from posewire_cli.output.output_files import OutputFile, existing_in
from posewire_cli.output.runs import SavedNotice, create_run, next_run
from posewire_cli.output.summary import Summary
from posewire_cli.output.window import Window, check_can_show
from posewire_cli.output.writing import write_all
from posewire_cli.source.video_source import VideoSource, check_source, source_files, source_stem
from posewire_client import Delivery, EstimateOptions, FrameFailure, FrameInput, Skeleton
from posewire_client.drawing import Style

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 90]


@Parameter(name="*", group=Group("Delivery", sort_key=2))
@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    delivery: Literal["lossless", "latest"] | None = None
    """Every frame, or the newest (default: latest for cameras and live streams)."""

    max_frame_age: Seconds | None = None
    """Maximum age of a waiting frame in seconds, for latest (default: no limit)."""

    window: Count | None = None
    """Frames in flight (default: the server's)."""

    encoding: Literal["raw", "jpeg"] | None = None
    """Uncompressed, or JPEG of quality 90 (default: jpeg with --server, else raw)."""

    frames: Count | None = None
    """Number of frames to process (default: all)."""

    def check(self, *, is_latest: bool) -> None:
        """Raise `UsageError` for options that need another delivery."""
        if self.max_frame_age is not None and not is_latest:
            raise UsageError("--max-frame-age: only with --delivery latest")

    def is_latest(self, source: VideoSource) -> bool:
        return source.is_live if self.delivery is None else self.delivery == "latest"

    def encoder(self, *, remote: bool) -> Callable[[Pixels], FrameInput]:
        """Return the frame encoder."""
        return _encode_jpeg if (self.encoding or ("jpeg" if remote else "raw")) == "jpeg" else _raw


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOutputOptions(OutputOptions):
    annotated: OutputPath | None = None
    """Video file with the poses drawn: .mp4, .avi or .webm."""

    def check(self, source: str, *, model_files: Sequence[Path]) -> None:
        """Raise `OutputError` unless all files can be written and destroy nothing."""
        if self.annotated is not None:
            check_suffix(self.annotated)
        inputs = [*model_files, *source_files(source)]
        self.check_files(self._files(source_stem(source)), inputs=inputs)
        if self.show:
            check_can_show()

    def _files(self, stem: str) -> Iterator[OutputFile]:
        if self.annotated is not None:
            yield OutputFile("--annotated", self.annotated)
        if self.save:
            yield OutputFile("--save", _saved_file(next_run(), stem), makes_directories=True)
        if self.openpose is not None:
            # The number of frames is unknown: the first one, and all that exist.
            first = openpose_file(self.openpose, frame_stem(stem, 0))
            pattern = openpose_file(Path(), f"{glob.escape(stem)}_[0-9]*").name
            for path in {first, *existing_in(self.openpose, pattern)}:
                yield OutputFile("--openpose", path, makes_directories=True)

    def writers(self, skeleton: Skeleton, style: Style, video: VideoSource) -> Iterator[Writer]:
        """Open all outputs. `style`: that of an annotated video."""
        if self.json:
            yield JsonLines(skeleton)
        yield from self.file_writers()
        draw = partial(DrawnFrames, skeleton, style, timings=self.timings)
        if self.annotated is not None:
            yield AnnotatedVideo(self.annotated, draw(), rate=video.rate)
        if self.save:
            directory = create_run()
            yield SavedNotice(directory, to_stderr=self.json)
            yield AnnotatedVideo(_saved_file(directory, video.file_stem), draw(), rate=video.rate)
        if self.show:
            yield Window(draw().draw, waits=False)


def stream(
    source: str,
    /,
    *,
    target: TargetOptions = TargetOptions(),
    delivery: DeliveryOptions = DeliveryOptions(),
    estimation: EstimationOptions = EstimationOptions(),
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
    check_source(source)
    output.check(source, model_files=target.model_files())
    summary = Summary(timings=output.timings)
    # The source is opened last: a live one has frames to read from then on.
    with connect(target) as connection, closing(VideoSource(source)) as video:
        warn_about_demo(connection.model.name, [source])
        is_latest = delivery.is_latest(video)
        delivery.check(is_latest=is_latest)
        frames = _play(video) if is_latest and not video.is_live else video.frames()
        style = drawing.to_style(default="person", min_keypoint_score=estimation.min_keypoint_score)
        writers = output.writers(connection.model.skeleton, style, video)
        try:
            write_all(
                estimate_frames(
                    _send(connection, estimation.to_client(), delivery, is_latest=is_latest),
                    islice(frames, delivery.frames),
                    name=video.name,
                    file_stem=video.file_stem,
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
    connection: Connection, options: EstimateOptions, delivery: DeliveryOptions, *, is_latest: bool
) -> Send:
    return partial(
        connection.client.stream,
        model=connection.model.name,
        options=options,
        delivery=Delivery.LATEST if is_latest else Delivery.LOSSLESS,
        window=delivery.window,
        max_frame_age_secs=delivery.max_frame_age,
    )


def _saved_file(directory: Path, stem: str) -> Path:
    return directory / f"{stem}.mp4"


def _encode_jpeg(frame: Pixels) -> bytes:
    return cv2.imencode(".jpg", frame, _JPEG)[1].tobytes()


def _raw(frame: Pixels) -> Pixels:
    return frame


def _play(source: VideoSource) -> Iterable[Pixels]:
    """Yield the frames of a file in real time."""
    began = monotonic()
    for number, frame in enumerate(source.frames()):
        sleep(max(0.0, began + number / source.rate - monotonic()))
        yield frame
