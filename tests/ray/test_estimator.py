"""`PoseEstimator` in `map_batches`: columns that equal what `LocalEstimator` returns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray.data

from posewire_ray import PoseEstimator
from posewire_server import LocalEstimator
from posewire_server.estimation.runner import RunnerOptions
from posewire_server.sample import STILL

ARRAYS = ("scores", "boxes", "keypoints", "keypoint_scores", "origins")


@pytest.fixture(scope="module")
def estimator() -> Iterator[LocalEstimator]:
    with LocalEstimator("demo", runner=RunnerOptions(inference_num_threads=1)) as estimator:
        yield estimator


def run(dataset: ray.data.Dataset, **arguments: Any) -> ray.data.Dataset:
    return dataset.map_batches(
        PoseEstimator,
        fn_constructor_kwargs={"model": "demo", **arguments},
        batch_format="pyarrow",
        batch_size=4,
        num_cpus=1,
        concurrency=(1, 2),
    )


def assert_same(row: dict[str, Any], estimator: LocalEstimator, image: Any) -> None:
    estimate = estimator.estimate(image)
    poses = estimate.poses
    assert row["error"] is None
    assert (row["image_width"], row["image_height"]) == tuple(estimate.frame)
    for name in ARRAYS:
        expected = getattr(poses, name)
        values = np.array([*row[name]], expected.dtype).reshape(expected.shape)
        np.testing.assert_array_equal(values, expected, err_msg=name)


@pytest.mark.usefixtures("cluster")
def test_files_have_the_poses_of_the_local_estimator(
    folder: Path, estimator: LocalEstimator, tmp_path: Path
) -> None:
    dataset = run(ray.data.read_binary_files(str(folder / "more"), include_paths=True))
    assert "bytes" not in dataset.columns()
    dataset.write_parquet(str(tmp_path / "poses"))
    rows = pq.read_table(tmp_path / "poses").to_pylist()  # by a reader other than Ray
    assert sorted(Path(row["path"]).name for row in rows) == [f"{i:02}.jpg" for i in range(12)]
    for row in rows[:3]:
        assert_same(row, estimator, STILL)
        assert len(row["scores"]) == 6


@pytest.mark.usefixtures("cluster")
def test_paths_and_addresses_are_read_and_a_bad_image_has_an_error(
    folder: Path, estimator: LocalEstimator
) -> None:
    names = [f"{folder}/00.jpg", f"file://{folder}/01.jpg", f"local://{folder}/02.jpg"]
    bad = [f"{folder}/05.jpg", f"{folder}/empty.png", "file:///nowhere/x.jpg", "nix://bucket/x.jpg"]
    table = ray.data.from_items([{"path": name, "label": i} for i, name in enumerate(names + bad)])
    rows = sorted(run(table, column="path").take_all(), key=lambda row: row["label"])
    assert [row["path"] for row in rows] == names + bad
    for row in rows[:3]:
        assert_same(row, estimator, STILL)
    errors = [(row["error_code"], row["error"]) for row in rows[3:]]
    assert [code for code, _ in errors] == ["INVALID_ARGUMENT"] * 2 + ["UNREADABLE"] * 2
    assert "6e 6f 74" in errors[0][1]
    assert "nix" in errors[3][1]
    assert all(len(row[name]) == 0 for row in rows[3:] for name in ARRAYS)
    assert all(row["image_width"] is None for row in rows[3:])


@pytest.mark.usefixtures("cluster")
def test_pixels_of_ray_are_rgb(folder: Path, estimator: LocalEstimator) -> None:
    dataset = ray.data.read_images(str(folder / "more" / "00.jpg"))
    (row,) = run(dataset, column="image").take_all()
    assert_same(row, estimator, cv2.cvtColor(_rgb(folder / "more" / "00.jpg"), cv2.COLOR_RGB2BGR))


@pytest.mark.usefixtures("cluster")
def test_an_actor_keeps_to_its_processors() -> None:
    def threads(batch: dict[str, Any]) -> dict[str, Any]:
        from posewire_ray.threads import bound_threads

        return {"threads": np.array([bound_threads()]), "cv2": np.array([cv2.getNumThreads()])}

    rows = ray.data.range(1).map_batches(threads, num_cpus=1).take_all()
    assert rows == [{"threads": 1, "cv2": 1}]


def test_wrong_batches_and_columns_are_named() -> None:
    estimator = PoseEstimator("demo", threads=1, column="picture")
    with pytest.raises(TypeError, match=r"got dict, want pyarrow.Table: .* batch_format"):
        estimator({"picture": np.zeros(1)})
    with pytest.raises(ValueError, match="got 'picture', want one of bytes, path"):
        estimator(pa.table({"bytes": [b""], "path": [""]}))


def test_options_apply() -> None:
    estimator = PoseEstimator("demo", threads=1, max_poses=2)
    table = estimator(pa.table({"bytes": [STILL.read_bytes()]}))
    assert [len(scores) for scores in table["scores"].to_pylist()] == [2]


def _rgb(path: Path) -> np.ndarray[Any, Any]:
    from PIL import Image

    return np.asarray(Image.open(path).convert("RGB"))
