"""`posewire demo`: all of posewire at work, on people who were drawn for it."""

from __future__ import annotations

import argparse
import textwrap
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from posewire_cli.command.argument_types import count
from posewire_cli.command.output_arguments import DRAWN_KEYPOINT_SCORE
from posewire_cli.command.termination import terminating_cleanly

if TYPE_CHECKING:
    from posewire_cli.output.summary import Summary
    from posewire_client import Client, Skeleton

_SHOWN_EVERY = 25  # frames
# Enough to keep the network busy, without frames that wait for long.
_WINDOW = 2


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="try everything on the still and the clip that come with posewire",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Start a server with the network that comes with posewire, send it a still and a
            clip of drawn people through the client, draw what comes back, and stop it.

            Nothing is fetched. That network knows drawn people only."""),
        epilog="example: posewire demo --output posewire-demo",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("posewire-demo"),
        help="where the annotated still and clip go (default: posewire-demo)",
    )
    parser.add_argument(
        "--frames", metavar="N", type=count, help="only the first N frames of the clip"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from posewire_cli.command.connection import asking
    from posewire_cli.own_server import own_server
    from posewire_client import FrameFailure
    from posewire_server.estimation.runner import RunnerOptions
    from posewire_server.models.installed import installed_model
    from posewire_server.serving.served_model import load_models

    model = installed_model("demo")
    still, clip = options.output / "still.png", options.output / "clip.webm"
    print(f"Starting a server for the model {model.name}", flush=True)
    with (
        terminating_cleanly(),
        own_server(partial(load_models, [model], RunnerOptions())) as address,
    ):
        print(f"It serves at {address}\n", flush=True)
        with asking(address) as client:
            skeleton = client.model().skeleton
            _annotate_still(client, skeleton, still.parent)
            summary = _annotate_clip(client, skeleton, clip, frames=options.frames)
    print("\nThe server has stopped. Look at", still, clip, sep="\n  ", flush=True)
    return 1 if summary.counts[FrameFailure] else 0


def _annotate_still(client: Client, skeleton: Skeleton, directory: Path) -> None:
    from posewire_cli.batches import estimate_files
    from posewire_cli.output.annotated_images import AnnotatedImages
    from posewire_cli.output.text_lines import TextLines
    from posewire_cli.output.writing import write_all
    from posewire_server.sample import STILL

    images = AnnotatedImages(directory, skeleton, min_keypoint_score=DRAWN_KEYPOINT_SCORE)
    answered = estimate_files(client.stream, [STILL])
    write_all(answered, [images, TextLines()], total=1, unit="image", hide_bar=True)


def _annotate_clip(
    client: Client, skeleton: Skeleton, path: Path, *, frames: int | None
) -> Summary:
    from posewire_cli.batches import estimate_frames
    from posewire_cli.output.annotated_video import AnnotatedVideo
    from posewire_cli.output.summary import Summary
    from posewire_cli.output.text_lines import TextLines
    from posewire_cli.output.writing import write_all
    from posewire_cli.source.video_source import VideoSource
    from posewire_server.sample import CLIP

    with closing(VideoSource(str(CLIP))) as source:
        video = AnnotatedVideo(
            path, skeleton, rate=source.rate, min_keypoint_score=DRAWN_KEYPOINT_SCORE
        )
        summary = Summary()
        answered = estimate_frames(
            partial(client.stream, window=_WINDOW),
            islice(source.frames(), frames),
            name=CLIP.name,
            file_stem=CLIP.stem,
            encode=lambda frame: frame,
        )
        write_all(
            answered,
            [video, summary, TextLines(every=_SHOWN_EVERY)],
            total=source.frame_count if frames is None else frames,
            unit="frame",
        )
    print(*summary.lines(), sep="\n", flush=True)
    return summary
