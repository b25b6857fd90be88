"""`posewire eval`: how accurate a model is on annotated images."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from posewire_cli.command.evaluate_arguments import add_arguments, check_arguments
from posewire_cli.output.columns import format_columns

if TYPE_CHECKING:
    from posewire_cli.command.evaluated import Evaluated
    from posewire_cli.evaluation.accuracy import Accuracy, Evaluation
    from posewire_cli.evaluation.coco_dataset import CocoDataset
    from posewire_cli.evaluation.journal import EvaluationJournal
    from posewire_cli.evaluation.operating_points import OperatingPoint

_COLUMNS = {
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap_medium": "APM",
    "ap_large": "APL",
    "ar": "AR",
}


def add_to(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "eval",
        help="measure a model's accuracy on annotated images",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent("""\
            Measure COCO's average precision (AP) and recall (AR) of a model's poses.

            Every image of the annotation file counts, those without people too, and so
            does every pose, whatever its score. Below are precision and recall, at an OKS
            of 0.5, of what is left by a min_pose_score. With --results an interrupted run
            goes on where it was when it is started again."""),
        epilog=textwrap.dedent("""\
            example: posewire eval --model demo --images val2017 \\
                         --annotations annotations/person_keypoints_val2017.json"""),
    )
    add_arguments(parser)
    parser.set_defaults(run=lambda options: _run(check_arguments(parser, options)))


def _run(options: argparse.Namespace) -> int:
    from posewire_cli.command.evaluated import evaluated
    from posewire_cli.evaluation.coco_dataset import read_dataset
    from posewire_cli.evaluation.operating_points import operating_points

    dataset = read_dataset(options.annotations, options.images, limit=options.limit)
    with evaluated(options) as subject, _journal(subject, options) as journal:
        evaluation = _evaluation(dataset, subject, options, journal)
        if journal is not None:
            _write_results(options.results, evaluation)
            journal.delete()
    points = operating_points(dataset, evaluation.results, default=subject.min_pose_score)
    if options.json:
        print(_as_json(subject.name, len(dataset.frames), evaluation.accuracy, points))
    else:
        print(_as_tables(subject, len(dataset.frames), evaluation.accuracy, points))
    return 0


def _journal(
    subject: Evaluated, options: argparse.Namespace
) -> EvaluationJournal | nullcontext[None]:
    """Beside the results, for all that makes the answers what they are."""
    from posewire_cli.evaluation.journal import EvaluationJournal
    from posewire_server.models.digest import sha384_of

    if options.results is None:
        return nullcontext()
    run = {
        **subject.identity,
        "images": str(options.images.resolve()),
        "annotations": sha384_of(options.annotations)[:16],
    }
    return EvaluationJournal(options.results.with_name(f"{options.results.name}.journal"), run)


def _evaluation(
    dataset: CocoDataset[Path],
    subject: Evaluated,
    options: argparse.Namespace,
    journal: EvaluationJournal | None,
) -> Evaluation:
    from posewire_cli.evaluation.accuracy import evaluate

    try:
        return evaluate(
            dataset,
            subject.estimate,
            absent_at="corner" if options.decoding == "reference" else "centre",
            journal=journal,
            progress=True,
        )
    except KeyboardInterrupt:
        if journal is not None:
            kept = f"{len(journal.results)} images are kept in {journal.path}"
            print(f"{kept}; the same command goes on from there", file=sys.stderr)
        raise


def _write_results(path: Path, evaluation: Evaluation) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(json.dumps(evaluation.results))
    unfinished.replace(path)


def _as_json(name: str, images: int, accuracy: Accuracy, points: Sequence[OperatingPoint]) -> str:
    figures = {**asdict(accuracy), "operating_points": [asdict(point) for point in points]}
    return json.dumps({"model": name, "images": images, **figures})


def _as_tables(
    subject: Evaluated, images: int, accuracy: Accuracy, points: Sequence[OperatingPoint]
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
