"""`posewire predict` against a server that runs, and with one of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest

from posewire_cli.command import connection, main
from posewire_cli.output import waiting_line
from posewire_server.sample import STILL
from tests.reference.colour_network import colour_network, painted_frame, person_at
from tests.reference.image_files import encoded, stored, with_orientation
from tests.reference.model_server import ModelServer, Reply
from tests.reference.numbered_frames import SIDE, is_answer_to, person_of
from tests.reference.painting_runner import PaintingRunner, painted_model
from tests.reference.restarting_server import RestartingServer
from tests.reference.sample_annotations import STILL_ANNOTATIONS
from tests.reference.server_thread import serving


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving(painted_model(PaintingRunner(person_of, capacity=2), size=SIDE)) as running:
        yield running.address


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images that are called by the numbers they show."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in (5, 12, 31):
        image = np.full((SIDE, SIDE, 3), number, np.uint8)
        cv2.imwrite(str(folder / f"{number:06d}.png"), image)
    return folder


def test_each_image_has_its_line(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "--server", server, str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines[::2]] == [
        str(folder / name) for name in ("000005.png", "000012.png", "000031.png")
    ]
    assert all(line.endswith(", 1 person") for line in lines[::2])
    assert all(line.startswith("  score ") and "  box " in line for line in lines[1::2])


def test_all_forms_of_answers_agree(
    server: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    coco, openpose, drawn = (tmp_path / name for name in ("results.json", "openpose", "drawn"))
    files = ["--coco", coco, "--openpose", openpose, "--annotated", drawn]
    assert main(["predict", "--server", server, "--json", *map(str, files), str(folder)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    records = json.loads(coco.read_text())
    assert [line["image_id"] for line in lines] == [5, 12, 31]
    assert [record["image_id"] for record in records] == [5, 12, 31]
    for line, record in zip(lines, records, strict=True):
        nose = line["poses"][0]["keypoints"]["nose"]
        assert is_answer_to(line["image_id"], nose["x"])
        assert record["keypoints"][:2] == pytest.approx([nose["x"], nose["y"]], abs=0.01)
        stem = f"{line['image_id']:06d}"
        document = json.loads((openpose / f"{stem}_keypoints.json").read_text())
        (person,) = document["people"]
        assert person["pose_keypoints_2d"][:2] == pytest.approx(record["keypoints"][:2])
        image = cv2.imread(str(drawn / f"{stem}.png"))
        assert (image != line["image_id"]).any()


def test_runs_are_saved_in_numbered_directories(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    for name in ("predict", "predict2"):
        assert main(["predict", "--server", server, "--save", "images"]) == 0
        assert capsys.readouterr().out.endswith(f"Saved to runs/{name}\n")
        saved = sorted(path.name for path in Path("runs", name).iterdir())
        assert saved == ["000005.png", "000012.png", "000031.png"]


def test_a_run_without_results_leaves_no_directory(
    server: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    (folder / "noise.png").write_bytes(b"noise")
    assert main(["predict", "--server", server, "--save", "images/noise.png"]) == 1
    assert not list(Path("runs").iterdir())


@pytest.mark.parametrize("options", [["--color-by", "person"], ["--no-caption"]])
def test_drawing_follows_the_options(
    server: str, folder: Path, tmp_path: Path, options: list[str]
) -> None:
    image = folder / "000005.png"
    plain, styled = tmp_path / "plain", tmp_path / "styled"
    for directory, added in ((plain, []), (styled, options)):
        arguments = ["--server", server, "--annotated", str(directory), *added, str(image)]
        assert main(["predict", *arguments]) == 0
    assert (cv2.imread(str(plain / image.name)) != cv2.imread(str(styled / image.name))).any()


def test_a_batch_goes_on_past_bad_images(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "000009.png").write_bytes(b"noise")
    (folder / "000010.png").touch()
    images = [str(folder / "gone.png"), str(folder), str(folder / "*.gif")]
    assert main(["predict", "--server", server, *images]) == 1
    out, err = capsys.readouterr()
    assert out.count(", 1 person\n") == 3
    wanted = [
        "gone.png: no such file, want an image",
        "000009.png: got 5 bytes of no known format",
        "000010.png: got 0 bytes, want an image file",
        "*.gif: no images found",
        "4 of 7 images failed",
    ]
    for line, each in zip(err.splitlines(), wanted, strict=True):
        assert line.startswith("posewire: ")
        assert each in line


def test_failures_are_told_as_json_and_on_stderr(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [str(folder / "gone.png"), str(folder / "000005.png")]
    assert main(["predict", "--server", server, "--json", *images]) == 1
    out, err = capsys.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["outcome"] for line in lines] == ["error", "result"]
    assert lines[0]["code"] == "UNREADABLE"
    assert lines[1]["image_id"] == 5
    assert "gone.png: no such file" in err


def test_an_image_may_come_from_a_pipe_or_an_address(
    server: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    piped, served = folder / "000005.png", folder / "000012.png"
    drawn = tmp_path / "drawn"
    with ModelServer({"/x/served.png": [Reply(served.read_bytes())]}) as web:
        options = ["--server", server, "--json", "--annotated", str(drawn)]
        command = [sys.executable, "-m", "posewire_cli", "predict", *options]
        answer = subprocess.run(
            [*command, "-", f"{web.address}/x/served.png"],
            input=piped.read_bytes(),
            capture_output=True,
            timeout=60,
        )
    assert (answer.returncode, answer.stderr) == (0, b"")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["image"] for line in lines] == ["stdin", f"{web.address}/x/served.png"]
    assert [line["image_id"] for line in lines] == [1, 2]
    for line, number in zip(lines, (5, 12), strict=True):
        assert is_answer_to(number, line["poses"][0]["keypoints"]["nose"]["x"])
    assert sorted(path.name for path in drawn.iterdir()) == ["served.png", "stdin.png"]


def test_options_reach_the_server(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--min-pose-score", "1", "--max-poses", "3", "--min-keypoint-score", "0.2"]
    region = ["--no-refine", "--flip-test", f"--region=0,0,{SIDE},{SIDE}"]
    assert main(["predict", "--server", server, *asked, *region, str(folder)]) == 0
    assert capsys.readouterr().out.count(", no people\n") == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--server", "SERVER", "--model", "nobody", "FOLDER"], "NOT_FOUND (MODEL_NOT_FOUND)"),
        (["--server", "SERVER", "FOLDER/*.gif"], "no images found"),
        (["--server", "SERVER", "--annotated", "FOLDER", "FOLDER"], "would overwrite the input"),
        (["--server", "SERVER", "--coco", "FOLDER/no/x", "FOLDER"], "No such file"),
        (["--model", "no-such-model", "FOLDER"], "is neither in the catalog"),
        (["--model", "demo", "--device", "NPU9", "FOLDER"], "device NPU9"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    server: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    replaced = [each.replace("SERVER", server).replace("FOLDER", str(folder)) for each in arguments]
    assert main(["predict", *replaced]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("posewire: ")
    assert complaint in err


def test_a_server_that_is_not_there_is_reported_soon(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than after all the time for which a client retries, 30 seconds."""
    monkeypatch.setattr(connection, "_FIRST_TIMEOUT_SECS", 0.5)
    began = time.monotonic()
    assert main(["predict", "--server", "localhost:1", str(folder)]) == 1
    assert time.monotonic() - began < 15
    assert "want a running server" in capsys.readouterr().err


def test_a_server_that_starts_late_is_waited_for(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_line, "_LOG_AFTER_SECS", 0.5)
    with RestartingServer() as server:
        server.stop(signal.SIGTERM)
        starting = threading.Timer(1.5, server.start)
        starting.start()
        arguments = ["--server", server.address, "--retry-for", "inf", str(folder)]
        assert main(["predict", *arguments]) == 0
        starting.join()
    out, err = capsys.readouterr()
    assert out.count(", 3 people\n") == 3
    began, ended = err.splitlines()
    assert began == f"posewire: waiting for the server at {server.address}"
    assert ended.startswith("posewire: waited ")


def test_the_tree_of_a_pattern_is_kept(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "deep").mkdir()
    for number in (5, 6):  # 000005.png is there twice
        image = np.full((SIDE, SIDE, 3), number, np.uint8)
        cv2.imwrite(str(folder / "deep" / f"{number:06d}.png"), image)
    drawn, openpose = folder.parent / "drawn", folder.parent / "openpose"
    outputs = ["--annotated", str(drawn), "--openpose", str(openpose)]
    assert main(["predict", "--server", server, *outputs, f"{folder}/**/*"]) == 0
    stems = ["000005", "000012", "000031", "deep/000005", "deep/000006"]
    for directory, suffix in ((drawn, ".png"), (openpose, "_keypoints.json")):
        written = [path for path in directory.rglob("*") if path.is_file()]
        assert sorted(written) == [directory / f"{stem}{suffix}" for stem in stems]
    assert main(["predict", "--server", server, *outputs, f"{folder}/**/*"]) == 1
    assert "and 7 more exist already" in capsys.readouterr().err
    assert main(["predict", "--server", server, *outputs, "--overwrite", f"{folder}/**/*"]) == 0


def test_two_images_of_a_name_have_no_place_for_both(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "000005.jpg").write_bytes((folder / "000005.png").read_bytes())
    drawn = str(folder.parent / "drawn")
    assert main(["predict", "--server", server, "--annotated", drawn, str(folder)]) == 1
    assert "both would be written to" in capsys.readouterr().err
    assert main(["predict", "--server", server, str(folder)]) == 0


def test_options_that_do_not_go_together_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--server", "localhost:1", "--device", "GPU", "x.png"]) == 2
    assert "--device: not with --server" in capsys.readouterr().err


def test_a_network_of_ones_own_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network, image = tmp_path / "colours.xml", tmp_path / "7.png"
    ov.save_model(colour_network(), network, compress_to_fp16=False)
    truth = person_at(41, 31, 30)
    cv2.imwrite(str(image), painted_frame(320, 256, [truth]))
    arguments = ["--model", str(network), "--threads", "1", "--json", str(image)]
    assert main(["predict", *arguments]) == 0
    (pose,) = json.loads(capsys.readouterr().out)["poses"]
    found = [(each["x"], each["y"]) for each in pose["keypoints"].values()]
    assert np.allclose(found, truth, atol=0.5)


@pytest.mark.parametrize("applied", [True, False])
def test_a_photo_lying_on_its_side_is_drawn_as_its_poses_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], applied: bool
) -> None:
    network, image, drawn = tmp_path / "colours.xml", tmp_path / "7.png", tmp_path / "drawn"
    ov.save_model(colour_network(), network, compress_to_fp16=False)
    truth = person_at(41, 31, 30)
    shown = painted_frame(320, 256, [truth])
    pixels = stored(shown, 6) if applied else shown
    image.write_bytes(with_orientation(encoded(pixels, ".png"), 6))
    option = [] if applied else ["--ignore-orientation"]
    arguments = ["--threads", "1", "--json", "--annotated", str(drawn), *option, str(image)]
    assert main(["predict", "--model", str(network), *arguments]) == 0
    (pose,) = json.loads(capsys.readouterr().out)["poses"]
    found = [(each["x"], each["y"]) for each in pose["keypoints"].values()]
    assert np.allclose(found, truth, atol=0.5)
    annotated = cv2.imread(str(drawn / "7.png")).astype(int)
    assert annotated.shape == shown.shape
    changed = np.argwhere(np.abs(annotated - shown).max(axis=2) > 30)[:, ::-1]
    assert len(changed) > 0
    assert (changed.min(axis=0) > truth.min(axis=0) - 40).all()
    assert (changed.max(axis=0) < truth.max(axis=0) + 40).all()


def test_the_still_has_the_people_that_were_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--model", "demo", "--threads", "1", "--json", str(STILL)]) == 0
    line = json.loads(capsys.readouterr().out)
    people = json.loads(STILL_ANNOTATIONS.read_text())["annotations"]
    assert len(line["poses"]) == len(people)
