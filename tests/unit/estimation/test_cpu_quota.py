from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from posewire_server.estimation.cpu_quota import cpu_quota


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/pod/box\n", {"pod/cpu.max": "50000 100000", "pod/box/cpu.max": "max 100000"}, 0.5),
        ("0::/pod/box\n", {"pod/cpu.max": "400000 100000", "cpu.max": "20000 10000"}, 2),
        (
            "3:cpuset:/\n2:cpu,cpuacct:/box\n",
            {"cpu,cpuacct/box/cpu.cfs_quota_us": "250000\n", "cpu/box/cpu.cfs_period_us": "1\n"}
            | {"cpu,cpuacct/box/cpu.cfs_period_us": "100000\n"},
            2.5,
        ),
        (
            "1:cpu:/as/the/host/sees/it\n",
            {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"},
            1,
        ),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("3:cpuset:/\n", {"cpuset/cpu.cfs_quota_us": "1", "cpuset/cpu.cfs_period_us": "2"}, None),
        ("", {}, None),
    ],
    ids=[
        "version 2",
        "version 2 without limit",
        "limit above",
        "least of several",
        "version 1",
        "mounted part",
        "version 1 without limit",
        "another controller",
        "no groups",
    ],
)
def test_quotas_are_read(
    tmp_path: Path, membership: str, files: Mapping[str, str], quota: float | None
) -> None:
    listing = tmp_path / "cgroup"
    listing.write_text(membership)
    for name, content in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert cpu_quota(mount=tmp_path / "mount", membership=listing) == quota


def test_a_machine_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(mount=tmp_path / "none", membership=tmp_path / "none") is None
