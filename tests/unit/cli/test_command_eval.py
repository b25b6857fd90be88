from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from posewire_cli.command import main
from posewire_server.estimation import pipeline
from posewire_server.estimation.frame_poses import FramePoses
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.models.installed import installed_model
from posewire_server.serving.frames.served_model import ServedModel
from tests.reference.colour_network import colour_network, painted_frame, person_at
from tests.reference.image_files import encoded, stored, with_orientation
from tests.reference.server_thread import serving

Keypoints = NDArray[np.float64]
# Frames that are shrunk, enlarged, upright, wide, and one with nobody in it.
FRAMES: dict[int, tuple[int, int, list[Keypoints]]] = {
    11: (320, 240, [person_at(30, 30, 28), person_at(170, 110, 32)]),
    12: (240, 320, [person_at(41, 160, 36)]),
    5: (90, 110, [person_at(15, 20, 13)]),
    77: (401, 173, [person_at(40, 25, 30), person_at(210, 40, 36)]),
    8: (128, 128, []),
}


THRESHOLDS = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]


@dataclass(frozen=True)
class Data:
    folder: Path
    annotations: Path
    model: Path

    def arguments(self, *more: str | Path) -> list[str]:
        data = ("--images", self.folder, "--annotations", self.annotations, "--model", self.model)
        size = ("--size", "128", "--fit", "short_side", "--threads", "1")
        return ["eval", *map(str, (*data, *size, *more))]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("data")
    for image, (width, height, people) in FRAMES.items():
        frame = painted_frame(width, height, people, sigma=min(width, height) / 40)
        cv2.imwrite(str(folder / f"{image}.png"), frame)
    model = folder / "colours.xml"
    ov.save_model(colour_network(), model, compress_to_fp16=False)
    return Data(folder, annotated(folder / "people.json"), model)


def annotated(path: Path, *, shift: float = 0.0) -> Path:
    people = [
        annotation(image, keypoints + [shift, 0])
        for image, (_, _, people) in FRAMES.items()
        for keypoints in people
    ]
    content = {
        "images": [{"id": image, "file_name": f"{image}.png"} for image in FRAMES],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{**each, "id": i} for i, each in enumerate(people, start=1)],
    }
    path.write_text(json.dumps(content))
    return path


def annotation(image: int, keypoints: Keypoints) -> dict[str, Any]:
    (left, top), (width, height) = keypoints.min(axis=0), np.ptp(keypoints, axis=0)
    return {
        "image_id": image,
        "category_id": 1,
        "keypoints": np.column_stack([keypoints, np.full(17, 2)]).ravel().tolist(),
        "bbox": [left, top, width, height],
        "area": width * height / 2,
        "num_keypoints": 17,
        "iscrowd": 0,
    }


def figures(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    figures: dict[str, Any] = json.loads(capsys.readouterr().out)
    return figures


@pytest.mark.parametrize("decoding", ["default", "reference"])
@pytest.mark.parametrize("fit", ["short_side", "inside"])
def test_people_in_files_are_found_where_they_are_annotated(
    data: Data, capsys: pytest.CaptureFixture[str], decoding: str, fit: str
) -> None:
    size = "128" if fit == "short_side" else "192"
    options = ("--decoding", decoding, "--fit", fit, "--size", size)
    answer = figures(capsys, data.arguments(*options))
    assert answer.pop("model") == "colours"
    assert answer.pop("images") == 5
    points = answer.pop("operating_points")
    assert answer.keys() == {"ap", "ap50", "ap75", "ap_medium", "ap_large", "ar"}
    # The reference sees ghosts in flat peaks.
    precision = 1 if decoding == "default" else pytest.approx(0.8, abs=0.2)
    assert points[0] == {"min_pose_score": 0.1, "precision": precision, "recall": 1}
    assert [each["min_pose_score"] for each in points] == sorted({0.3, *THRESHOLDS})
    assert answer["ap50"] == pytest.approx(1)
    assert answer["ap"] > 0.95
    assert answer["ar"] > 0.95


def test_accuracy_falls_where_annotations_are_a_few_pixels_off(
    data: Data, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    values = []
    for shift in (0, 4, 8):
        moved = annotated(tmp_path / "moved.json", shift=shift)
        answer = figures(capsys, data.arguments("--annotations", moved))
        values.append(answer["ap"])
    assert values[1] < values[0] - 0.1
    assert values[2] < values[1] - 0.1


def test_the_default_decoding_is_more_exact_than_the_reference(
    data: Data, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    errors = {}
    for decoding in ("default", "reference"):
        results = tmp_path / f"{decoding}.json"
        main(data.arguments("--decoding", decoding, "--results", results))
        errors[decoding] = mean_error(json.loads(results.read_text()))
    assert errors["default"] < 0.15
    assert errors["default"] < errors["reference"] < 0.6


def mean_error(results: list[dict[str, Any]]) -> float:
    """Mean distance in pixels of annotated keypoints from the pose nearest to their person."""
    distances = []
    for image, (_, _, people) in FRAMES.items():
        poses = [each["keypoints"] for each in results if each["image_id"] == image]
        found = np.array(poses).reshape(-1, 17, 3)[..., :2]
        distances += [
            np.linalg.norm(found - keypoints, axis=2).mean(axis=1).min() for keypoints in people
        ]
    return float(np.mean(distances))


def test_figures_are_shown_as_a_table_in_percent(
    data: Data, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(data.arguments("--limit", "2")) == 0
    out, err = capsys.readouterr()
    title, header, row, empty, points, *rows = out.splitlines()
    assert title == "colours on 2 images, in percent"
    assert header.split() == ["AP", "AP50", "AP75", "APM", "APL", "AR"]
    assert row.split()[:2] == ["100.00", "100.00"]
    assert row.split()[4] == "–"  # nobody in these two images is large
    assert len(row) == len(header)
    assert empty == ""
    assert points.split() == ["min_pose_score", "precision", "recall"]
    assert rows[4].split() == ["0.30", "100.00", "100.00", "(default)"]
    assert [each.split()[0] for each in rows] == [f"{each:.2f}" for each in THRESHOLDS]
    assert err == ""


def test_results_are_every_pose_in_cocos_format(
    data: Data, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.json"
    assert main(data.arguments("--results", results)) == 0
    poses = json.loads(results.read_text())
    assert {each["image_id"] for each in poses} == {11, 12, 5, 77}
    for each in poses:
        assert each.keys() == {"image_id", "category_id", "keypoints", "score"}
        assert len(each["keypoints"]) == 51
        assert 0 < each["score"] <= 1
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def interrupt_after(frames: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ctrl-C in the middle of a run; the list grows by one for each frame that is estimated."""
    estimated: list[int] = []
    estimate = pipeline.Pipeline.estimate_file

    def interrupted(
        self: pipeline.Pipeline, path: Path, **options: bool
    ) -> pipeline.Estimate[FramePoses]:
        if len(estimated) == frames:
            raise KeyboardInterrupt
        answer = estimate(self, path, **options)
        estimated.append(answer.frame.width)
        return answer

    monkeypatch.setattr(pipeline.Pipeline, "estimate_file", interrupted)
    return estimated


def test_an_interrupted_run_goes_on_with_the_images_that_are_left(
    data: Data,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, results = tmp_path / "whole.json", tmp_path / "results.json"
    assert main(data.arguments("--results", whole)) == 0
    with monkeypatch.context() as patch:
        estimated = interrupt_after(3, patch)
        assert main(data.arguments("--results", results)) == 130
        assert estimated == [320, 240, 90]
    assert not results.exists()
    assert f"3 images are kept in {results}.journal" in capsys.readouterr().err
    estimated = interrupt_after(2, monkeypatch)
    assert main(data.arguments("--results", results)) == 0
    assert estimated == [401, 128]
    assert results.read_text() == whole.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "whole.json"]


@pytest.mark.parametrize(
    ("results", "complaint"),
    [
        ("people.json", "would overwrite the input"),
        ("5.png", "would overwrite the input"),
        ("colours.xml", "would overwrite the input"),
        ("old.json", "exists already, want new names, or --overwrite"),
    ],
)
def test_results_replace_no_input_and_nothing_unasked(
    data: Data, results: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data.folder / results
    if results == "old.json":
        path.write_text("[]")
    before = path.read_bytes()
    assert main(data.arguments("--results", path)) == 1
    assert complaint in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_run_does_not_go_on_with_the_answers_of_another(
    data: Data,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = tmp_path / "results.json"
    with monkeypatch.context() as patch:
        interrupt_after(1, patch)
        assert main(data.arguments("--results", results)) == 130
    capsys.readouterr()
    changed = ("--size", "160", "--decoding", "reference", "--flip-test")
    assert main(data.arguments("--results", results, *changed)) == 1
    err = capsys.readouterr().err
    assert "decoding was default, is reference; size was 128, is 160" in err
    assert "flip test was False, is True" in err
    assert main(data.arguments("--results", results)) == 0


def test_images_that_are_missing_are_an_error_of_one_line(
    data: Data, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(data.arguments("--images", tmp_path)) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "5 of 5 images are missing: 11.png, 12.png, 5.png, 77.png, 8.png" in err


@pytest.mark.parametrize("content", [b"", b"no image"], ids=["empty", "text"])
def test_a_file_that_is_no_image_is_an_error_of_one_line(
    data: Data, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    for image in FRAMES:
        (tmp_path / f"{image}.png").write_bytes(content)
    assert main(data.arguments("--images", tmp_path)) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"posewire: {tmp_path / '11.png'}: got ")
    assert re.search(r"want an? .*file$", err)
    assert err.count("\n") == 1


@pytest.mark.parametrize("applied", [True, False])
def test_annotations_refer_to_the_image_that_is_shown_or_to_that_stored(
    data: Data, tmp_path: Path, capsys: pytest.CaptureFixture[str], applied: bool
) -> None:
    for path in data.folder.glob("*.png"):
        pixels = cv2.imread(str(path)).astype(np.uint8, copy=False)
        content = encoded(
            stored(pixels, 6) if applied else pixels, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 98
        )
        (tmp_path / path.name).write_bytes(with_orientation(content, 6))
    option = [] if applied else ["--ignore-orientation"]
    assert figures(capsys, data.arguments("--images", tmp_path, *option))["ap50"] > 0.9


@pytest.mark.parametrize("value", ["0", "-1", "x"])
def test_numbers_below_one_are_refused(
    data: Data, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert main(data.arguments("--limit", value)) == 2
    err = capsys.readouterr().err
    assert err.startswith("posewire: Invalid value ")
    assert f'"{value}"' in err
    assert "--limit" in err


@pytest.mark.parametrize("flip_test", [False, True])
def test_a_server_has_the_accuracy_of_the_model_that_it_runs(
    data: Data, tmp_path: Path, capsys: pytest.CaptureFixture[str], flip_test: bool
) -> None:
    more = ["--flip-test"] if flip_test else []
    assert main(data.arguments("--json", *more)) == 0
    own = json.loads(capsys.readouterr().out)
    model = installed_model(str(data.model))
    model = replace(model, geometry=replace(model.geometry, size=128))
    options = RunnerOptions(inference_num_threads=1)
    with serving(ServedModel.load(model, options)) as server:
        given = ("--images", data.folder, "--annotations", data.annotations)
        arguments = ["eval", *map(str, given), "--server", server.address, "--json", *more]
        assert main([*arguments, "--results", str(tmp_path / "results.json")]) == 0
        served = json.loads(capsys.readouterr().out)
        assert main([*arguments, "--model", "other"]) == 1
        assert "other" in capsys.readouterr().err
    assert served.pop("operating_points") == own.pop("operating_points")
    assert served == pytest.approx(own, abs=1e-6)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "one of --model and --server is required"),
        (["--server", "localhost:1", "--size", "64", "--fit", "inside"], "--fit, --size: not with"),
    ],
)
def test_what_does_not_go_together_is_an_error_of_usage(
    data: Data, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    given = ["--images", str(data.folder), "--annotations", str(data.annotations)]
    assert main(["eval", *given, *more]) == 2
    assert said in capsys.readouterr().err


def test_a_server_that_is_not_there_is_an_error_of_one_line(
    data: Data, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nobody = f"unix:{tmp_path / 'nobody.sock'}"
    given = ["--images", str(data.folder), "--annotations", str(data.annotations)]
    assert main(["eval", *given, "--server", nobody]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"posewire: server {nobody}: ")
    assert err.count("\n") == 1
