"""`posewire eval`: measure the accuracy of a model on annotated images or videos."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from posewire_cli.command.dataset_options import DatasetOptions
from posewire_cli.command.estimation_options import ESTIMATION
from posewire_cli.command.eval_subject import ModelOptions, Subject, open_subject
from posewire_cli.command.eval_video import evaluate_video
from posewire_cli.command.option_types import OutputPath
from posewire_cli.command.output_options import OUTPUT
from posewire_cli.command.target_options import TargetOptions
from posewire_cli.errors import UsageError
from posewire_cli.evaluation.accuracy import AbsentAt, Accuracy, Evaluation, evaluate
from posewire_cli.evaluation.coco_dataset import CocoDataset, read_dataset
from posewire_cli.evaluation.journal import EvaluationJournal
from posewire_cli.evaluation.operating_points import OperatingPoint, operating_points
from posewire_cli.output.columns import format_columns
from posewire_cli.output.output_files import OutputFile, check_outputs
from posewire_cli.output.whole_file import write_whole
from posewire_client import EstimateOptions
from posewire_server.models.digest import sha384_of

_COLUMNS = {
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_medium": "APM",
    "ap_large": "APL",
    "ar": "AR",
}


def evaluate_model(
    *,
    dataset: DatasetOptions,
    target: TargetOptions = TargetOptions(),
    model: ModelOptions = ModelOptions(),
    flip_test: Annotated[bool, Parameter(group=ESTIMATION)] = False,
    smooth: Annotated[bool, Parameter(group=ESTIMATION)] = False,
    json: Annotated[bool, Parameter(group=OUTPUT)] = False,
    results: Annotated[OutputPath | None, Parameter(group=OUTPUT)] = None,
    overwrite: Annotated[bool, Parameter(group=OUTPUT)] = False,
) -> None:
    """
    Parameters
    ----------
    flip_test
        Also run the network on the mirrored image: more accurate, twice the time.
    smooth
        Smooth the keypoints of tracked people. Only with --video.
    json
        Print the measurements as JSON, from 0 to 1 rather than in percent.
    results
        File for all poses, in COCO results format.
    overwrite
        Replace a results file that exists (default: it is an error).
    """
    target.check(model)
    dataset.check()
    if dataset.images is None:
        options = EstimateOptions(flip_test=True) if flip_test else None
        evaluate_video(
            dataset,
            target,
            model,
            options,
            smooth=smooth,
            json=json,
            results=results,
            overwrite=overwrite,
        )
        return
    if smooth:
        raise UsageError("--smooth: only with --video")
    data = read_dataset(dataset.annotations, dataset.images, limit=dataset.limit)
    if results is not None:
        files = [
            OutputFile("--results", results),
            OutputFile("--results", _journal_path(results), is_resumed=True),
        ]
        inputs = [dataset.annotations, *data.frames.values(), *target.model_files()]
        check_outputs(files, inputs=inputs, overwrite=overwrite)
    absent_at: AbsentAt = "corner" if model.decoding == "reference" else "centre"
    with (
        open_subject(
            target,
            model,
            apply_orientation=not dataset.ignore_orientation,
            flip_test=flip_test,
        ) as subject,
        _open_journal(results, subject, dataset.images, dataset.annotations) as journal,
    ):
        evaluation = _evaluate(data, subject, absent_at, journal)
        if results is not None:
            write_whole(results, json_format.dumps(evaluation.results))
        if journal is not None:
            journal.delete()
    points = operating_points(data, evaluation.results, default=subject.min_pose_score)
    if json:
        print(_as_json(subject.name, len(data.frames), evaluation.accuracy, points))
    else:
        print(_as_tables(subject, len(data.frames), evaluation.accuracy, points))


def _open_journal(
    results: Path | None, subject: Subject, images: Path, annotations: Path
) -> EvaluationJournal | nullcontext[None]:
    """Open the journal in the directory of the results, for a run with the same poses."""
    if results is None:
        return nullcontext()
    run = {
        **subject.identity,
        "images": str(images.resolve()),
        "annotations": sha384_of(annotations)[:16],
    }
    return EvaluationJournal(_journal_path(results), run)


def _journal_path(results: Path) -> Path:
    return results.with_name(f"{results.name}.journal")


def _evaluate(
    dataset: CocoDataset[Path],
    subject: Subject,
    absent_at: AbsentAt,
    journal: EvaluationJournal | None,
) -> Evaluation:
    try:
        return evaluate(
            dataset, subject.estimate, absent_at=absent_at, journal=journal, progress=True
        )
    except KeyboardInterrupt:
        if journal is not None:
            kept = f"{len(journal.results)} images are kept in {journal.path}"
            print(f"{kept}; run the same command again to resume", file=sys.stderr)
        raise


def _as_json(name: str, images: int, accuracy: Accuracy, points: Sequence[OperatingPoint]) -> str:
    figures = {**asdict(accuracy), "operating_points": [asdict(point) for point in points]}
    return json_format.dumps({"model": name, "images": images, **figures})


def _as_tables(
    subject: Subject, images: int, accuracy: Accuracy, points: Sequence[OperatingPoint]
) -> str:
    title = f"{subject.name} on {images} {'image' if images == 1 else 'images'}, in percent"
    figures = asdict(accuracy)
    shares = [[*_COLUMNS.values()], [_percent(figures[name]) for name in _COLUMNS]]
    rows = [["min_pose_score", "precision", "recall", ""]]
    for each in points:
        note = "(default)" if each.min_pose_score == subject.min_pose_score else ""
        score = f"{each.min_pose_score:.2f}"
        rows.append([score, _percent(each.precision), _percent(each.recall), note])
    tables = format_columns(shares, align=">>>>>>"), format_columns(rows, align=">>><")
    return "\n".join([title, tables[0], "", tables[1]])


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
