"""`posewire eval --video`: measure how well a server follows people."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from posewire_cli.command.connection import Connection, connect
from posewire_cli.command.dataset_options import DatasetOptions
from posewire_cli.command.eval_subject import ModelOptions
from posewire_cli.command.option_types import changed_options
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.errors import UsageError
from posewire_cli.evaluation.errors import EvaluationError
from posewire_cli.evaluation.followed_video import TrackComparison
from posewire_cli.evaluation.track_dataset import AnnotatedVideo, read_track_dataset
from posewire_cli.evaluation.tracking import TrackingAccuracy, evaluate_tracks
from posewire_cli.output.columns import format_columns
from posewire_cli.output.output_files import OutputFile, check_outputs
from posewire_cli.output.whole_file import write_whole
from posewire_cli.source.video_source import VideoSource
from posewire_client import EncodedImage, EstimateOptions, Outcome, TimedImage

_DEFAULT_RATE = 25.0
_TITLES = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "id switches")


def evaluate_video(
    dataset: DatasetOptions,
    target: TargetOptions,
    model: ModelOptions,
    options: EstimateOptions | None,
    *,
    smooth: bool,
    json: bool,
    results: Path | None,
    overwrite: bool,
) -> None:
    """Follow people as a stream does, and print how well their ids last."""
    if changed := changed_options(model):
        raise UsageError(f"{', '.join(changed)}: not with --video, which measures a stream")
    assert dataset.video is not None, "checked with the other options"
    data = read_track_dataset(dataset.annotations, dataset.video)
    if results is not None:
        files = [file for video in data.videos for file in video.files]
        inputs = [dataset.annotations, *target.model_files(), *(files or [dataset.video])]
        check_outputs([OutputFile("--results", results)], inputs=inputs, overwrite=overwrite)
    with connect(target) as connection:
        compared = TrackComparison(data.keypoint_names, connection.model.skeleton)
        follow = _Follow(connection, dataset, options, smooth=smooth)
        for video in data.videos:
            compared.add(video, follow, limit=dataset.limit)
        name = connection.model.name
    frames = sum(map(len, compared.clips))
    if not frames:
        raise EvaluationError(f"--limit {dataset.limit}: none of these frames is annotated")
    if results is not None:
        write_whole(results, json_format.dumps(compared.results))
    accuracy = evaluate_tracks(compared.clips)
    if json:
        print(json_format.dumps({"model": name, "frames": frames, **asdict(accuracy)}))
    else:
        print(_as_table(f"{name} on {frames} annotated frames, in percent", accuracy))


class _Follow:
    """Streams videos with tracking, with a progress bar on stderr if that is a terminal."""

    def __init__(
        self,
        connection: Connection,
        dataset: DatasetOptions,
        options: EstimateOptions | None,
        *,
        smooth: bool,
    ) -> None:
        self._connection = connection
        self._dataset = dataset
        self._options = options
        self._smooth = smooth

    def __call__(self, video: AnnotatedVideo) -> Iterator[Outcome]:
        outcomes = self._connection.client.stream(
            islice(self._frames(video), self._dataset.limit),
            model=self._connection.model.name,
            options=self._options,
            track=True,
            smoothing=self._smooth,
        )
        with closing(outcomes):
            yield from tqdm(outcomes, unit="frame", disable=None)

    def _frames(self, video: AnnotatedVideo) -> Iterator[TimedImage]:
        if video.files:
            rate = self._dataset.rate or _DEFAULT_RATE
            for number, file in enumerate(video.files):
                image = EncodedImage(file, not self._dataset.ignore_orientation)
                yield TimedImage(image, number / rate)
            return
        with closing(VideoSource(str(self._dataset.video))) as source:
            for number, frame in enumerate(source.frames()):
                yield TimedImage(frame, source.captured_secs(number))


def _as_table(title: str, accuracy: TrackingAccuracy) -> str:
    *shares, switches = asdict(accuracy).values()
    figures = [*(f"{100 * share:.2f}" for share in shares), str(switches)]
    return "\n".join([title, format_columns([_TITLES, figures], align=">>>>>>")])
