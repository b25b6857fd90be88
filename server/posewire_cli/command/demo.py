"""`posewire demo`: run the bundled model on the bundled image and video."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from posewire_cli.batches import estimate_files, estimate_frames
from posewire_cli.command.connection import open_client
from posewire_cli.command.network_options import NetworkOptions
from posewire_cli.command.option_types import Count, OutputPath
from posewire_cli.command.own_model import serve_model
from posewire_cli.command.termination import interrupt_on_sigterm
from posewire_cli.output.annotated_images import AnnotatedImages
from posewire_cli.output.annotated_video import AnnotatedVideo
from posewire_cli.output.drawn_frames import DrawnFrames, DrawnImages
from posewire_cli.output.error_lines import ErrorLines
from posewire_cli.output.output_files import OutputFile, check_outputs
from posewire_cli.output.summary import Summary
from posewire_cli.output.text_lines import TextLines
from posewire_cli.output.writing import write_all
from posewire_cli.source.image_files import find_images
from posewire_cli.source.video_source import VideoSource
from posewire_client import Client, FrameFailure, Skeleton
from posewire_client.drawing import Style
from posewire_server.sample import CLIP, STILL

_PRINT_EVERY = 25  # frames
# Enough to keep the model busy without a queue.
_WINDOW = 2
_TRAIL_SECS = 1.0


def demo(
    *,
    output: OutputPath = Path("posewire-demo"),
    frames: Count | None = None,
    overwrite: bool = False,
) -> int:
    """
    Parameters
    ----------
    output
        Directory for the annotated image and video.
    frames
        Number of video frames to process (default: all).
    overwrite
        Replace output files that exist (default: they are an error).
    """
    still, clip = output / "still.png", output / "clip.webm"
    files = [OutputFile("--output", path, makes_directories=True) for path in (still, clip)]
    check_outputs(files, inputs=[STILL, CLIP], overwrite=overwrite)
    output.mkdir(parents=True, exist_ok=True)
    print("Starting a server for the model demo", flush=True)
    with interrupt_on_sigterm(), serve_model("demo", NetworkOptions()) as address:
        print(f"Serving at {address}\n", flush=True)
        with open_client(address, own_model="demo") as client:
            skeleton = client.model().skeleton
            _annotate_still(client, skeleton, still.parent)
            summary = _annotate_clip(client, skeleton, clip, frames=frames)
    print("\nThe server has stopped. Results:", still, clip, sep="\n  ", flush=True)
    return 1 if summary.counts[FrameFailure] else 0


def _annotate_still(client: Client, skeleton: Skeleton, directory: Path) -> None:
    images = AnnotatedImages(directory, DrawnImages(skeleton, Style()))
    stills = [replace(each, name=STILL.name) for each in find_images([str(STILL)])]
    answers = estimate_files(client.stream, stills)
    write_all(answers, [images, TextLines(), ErrorLines()], total=1, unit="image", hide_bar=True)


def _annotate_clip(
    client: Client, skeleton: Skeleton, path: Path, *, frames: int | None
) -> Summary:
    with closing(VideoSource(str(CLIP))) as source:
        style = Style(color_by="person")
        trail_frames = round(_TRAIL_SECS * source.rate)
        frames_drawn = DrawnFrames(skeleton, style, tracked=True, trail_frames=trail_frames)
        video = AnnotatedVideo(path, frames_drawn, rate=source.rate)
        summary = Summary(timings=True)
        answers = estimate_frames(
            partial(client.stream, window=_WINDOW, track=True, smoothing=True),
            islice(source.frames(), frames),
            name=CLIP.name,
            file_stem=CLIP.stem,
            captured_secs=source.captured_secs,
        )
        write_all(
            answers,
            [video, summary, TextLines(every=_PRINT_EVERY, people=False), ErrorLines()],
            total=source.frame_count if frames is None else frames,
            unit="frame",
        )
    print(*summary.lines(), sep="\n", flush=True)
    return summary
