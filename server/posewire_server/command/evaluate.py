"""`posewire eval`: how accurate a model is on annotated images."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from posewire_server.command.evaluate_arguments import add_arguments

if TYPE_CHECKING:
    from posewire_server.coco_dataset import CocoDataset
    from posewire_server.evaluation import Accuracy, Evaluation
    from posewire_server.evaluation_journal import EvaluationJournal
    from posewire_server.models.installed import InstalledModel
    from posewire_server.pipeline import Pipeline

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
            does every pose, whatever its score. With --results an interrupted run goes on
            where it was when it is started again."""),
        epilog=textwrap.dedent("""\
            example: posewire eval --model demo --images val2017 \\
                         --annotations annotations/person_keypoints_val2017.json"""),
    )
    add_arguments(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from posewire_server.coco_dataset import read_dataset

    dataset = read_dataset(options.annotations, options.images, limit=options.limit)
    model = _model(options)
    pipeline = _pipeline(model, options)
    with _journal(model, options) as journal:
        evaluation = _evaluation(dataset, pipeline, options, journal)
        if journal is not None:
            _write_results(options.results, evaluation)
            journal.delete()
    _print(evaluation.accuracy, model, len(dataset.frames), as_json=options.json)
    return 0


def _model(options: argparse.Namespace) -> InstalledModel:
    """The model with the geometry that the options ask for."""
    from posewire_server.models.installed import installed_model

    model = installed_model(options.model, cache=options.cache)
    fit, size = options.fit or model.geometry.fit, options.size or model.geometry.size
    return replace(model, geometry=replace(model.geometry, fit=fit, size=size))


def _pipeline(model: InstalledModel, options: argparse.Namespace) -> Pipeline:
    from posewire_server.pipeline import Pipeline
    from posewire_server.runner import RunnerOptions

    runner_options = RunnerOptions(
        device=options.device,
        inference_precision_hint=options.inference_precision,
        inference_num_threads=options.threads,
    )
    return Pipeline.for_model(model, runner_options, reference=options.decoding == "reference")


def _journal(
    model: InstalledModel, options: argparse.Namespace
) -> EvaluationJournal | nullcontext[None]:
    """Beside the results, for all that makes the answers what they are."""
    from posewire_server.evaluation_journal import EvaluationJournal
    from posewire_server.models.digest import sha384_of

    if options.results is None:
        return nullcontext()
    weights = model.path.with_suffix(".bin")
    run = {
        "model": sha384_of(model.path)[:16],
        "weights": sha384_of(weights)[:16] if weights.is_file() else None,
        "images": str(options.images.resolve()),
        "annotations": sha384_of(options.annotations)[:16],
        "decoding": options.decoding,
        "delta": list(model.delta),
        **asdict(model.geometry),
        "device": options.device,
        "inference precision": options.inference_precision,
    }
    return EvaluationJournal(options.results.with_name(f"{options.results.name}.journal"), run)


def _evaluation(
    dataset: CocoDataset[Path],
    pipeline: Pipeline,
    options: argparse.Namespace,
    journal: EvaluationJournal | None,
) -> Evaluation:
    from posewire_server.evaluation import evaluate
    from posewire_server.image import read_image

    try:
        return evaluate(
            dataset,
            lambda path: pipeline.estimate(read_image(path)).poses,
            absent_at="corner" if options.decoding == "reference" else "centre",
            journal=journal,
            progress=True,
        )
    except KeyboardInterrupt:
        if journal is not None:
            kept = f"{len(journal.answers)} images are kept in {journal.path}"
            print(f"{kept}; the same command goes on from there", file=sys.stderr)
        raise


def _write_results(path: Path, evaluation: Evaluation) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(json.dumps(evaluation.answers))
    unfinished.replace(path)


def _print(accuracy: Accuracy, model: InstalledModel, images: int, *, as_json: bool) -> None:
    figures = asdict(accuracy)
    if as_json:
        print(json.dumps({"model": model.name, "images": images, **figures}))
        return
    print(f"{model.name} on {images} {'image' if images == 1 else 'images'}, in percent")
    print(" ".join(f"{title:>6}" for title in _COLUMNS.values()))
    print(" ".join(f"{_percent(figures[name]):>6}" for name in _COLUMNS))


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f}"
