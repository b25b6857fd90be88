"""Options for the output of a video's poses."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Parameter

from posewire_cli.batches import frame_stem
from posewire_cli.command.option_types import OutputPath
from posewire_cli.command.output_options import OUTPUT, OutputOptions
from posewire_cli.errors import UsageError
from posewire_cli.output.annotated_video import AnnotatedVideo, check_suffix
from posewire_cli.output.answered_image import Writer
from posewire_cli.output.drawn_frames import DrawnFrames
from posewire_cli.output.json_lines import JsonLines
from posewire_cli.output.mot_file import MotFile
from posewire_cli.output.openpose_files import openpose_file
from posewire_cli.output.output_files import OutputFile, existing_in
from posewire_cli.output.runs import SavedNotice, create_run, next_run
from posewire_cli.output.window import Window, check_can_show
from posewire_cli.source.video_source import VideoSource, source_files, source_stem
from posewire_client import Skeleton


@Parameter(name="*", group=OUTPUT)
@dataclass(frozen=True, slots=True, kw_only=True)
class VideoOutputOptions(OutputOptions):
    annotated: OutputPath | None = None
    """Video file with the poses drawn: .mp4, .avi or .webm."""

    mot: OutputPath | None = None
    """File for all tracks, in MOTChallenge text format. Needs --track."""

    def check(self, source: str, *, model_files: Sequence[Path], track: bool) -> None:
        """Raise `OutputError` unless all files can be written and no other file is lost.

        Raises `UsageError` for --mot without `track`.
        """
        if self.mot is not None and not track:
            raise UsageError("--mot: only with --track")
        if self.annotated is not None:
            check_suffix(self.annotated)
        inputs = [*model_files, *source_files(source)]
        self.check_files(self._files(source_stem(source)), inputs=inputs)
        if self.show:
            check_can_show()

    def _files(self, stem: str) -> Iterator[OutputFile]:
        if self.annotated is not None:
            yield OutputFile("--annotated", self.annotated)
        if self.mot is not None:
            yield OutputFile("--mot", self.mot)
        if self.save:
            yield OutputFile("--save", _saved_file(next_run(), stem), makes_directories=True)
        if self.openpose is not None:
            # The number of frames is unknown: the first one, and all that exist.
            first = openpose_file(self.openpose, frame_stem(stem, 0))
            pattern = openpose_file(Path(), f"{glob.escape(stem)}_[0-9]*").name
            for path in {first, *existing_in(self.openpose, pattern)}:
                yield OutputFile("--openpose", path, makes_directories=True)

    def writers(
        self, skeleton: Skeleton, draw: Callable[[], DrawnFrames], video: VideoSource
    ) -> Iterator[Writer]:
        """Open all outputs. `draw`: returns what draws the frames of one output."""
        if self.json:
            yield JsonLines(skeleton)
        yield from self.file_writers()
        if self.mot is not None:
            yield MotFile(self.mot)
        if self.annotated is not None:
            yield AnnotatedVideo(self.annotated, draw(), rate=video.rate)
        if self.save:
            directory = create_run()
            yield SavedNotice(directory, to_stderr=self.json)
            yield AnnotatedVideo(_saved_file(directory, video.file_stem), draw(), rate=video.rate)
        if self.show:
            yield Window(draw().draw, waits=False)


def _saved_file(directory: Path, stem: str) -> Path:
    return directory / f"{stem}.mp4"
