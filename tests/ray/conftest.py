"""A Ray cluster of several nodes on this machine. Without Ray there are no tests here."""

from __future__ import annotations

import importlib.util
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from posewire_server.sample import STILL
from tests.ray.nodes import add_node

HERE = Path(__file__).parent
HAS_RAY = importlib.util.find_spec("ray") is not None

collect_ignore_glob = [] if HAS_RAY else ["test_*.py"]
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# A busy machine takes longer than Ray Serve's 5 and 10 seconds.
os.environ["RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S"] = "120"
os.environ["RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S"] = "120"
if HAS_RAY:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Ray's own modules
        import ray
        import ray.data
        import ray.serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[object]:
    """A head without processors and two nodes with one each, which this process has joined."""
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for processors in (0, 1, 1):
            add_node(cluster, num_cpus=processors, include_dashboard=False)
        ray.init(address=cluster.address, log_to_driver=False, logging_level="error")
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of people in two directories, and three files that are no images."""
    folder = tmp_path / "images"
    (folder / "more").mkdir(parents=True)
    for i in range(12):
        shutil.copy(STILL, folder / f"{i:02}.jpg")
        shutil.copy(STILL, folder / "more" / f"{i:02}.jpg")
    (folder / "05.jpg").write_bytes(b"not a JPEG")
    (folder / "empty.png").write_bytes(b"")
    (folder / "10.jpg").write_bytes(STILL.read_bytes()[:5000])
    return folder
