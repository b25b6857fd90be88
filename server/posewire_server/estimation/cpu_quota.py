"""The CPU quota of the container's control groups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def cpu_quota(*, mount: Path = _MOUNT, membership: Path = _MEMBERSHIP) -> float | None:
    """Return the quota in processors, such as 1.5; None if there is no limit.

    Reads version 2 (cpu.max) and version 1 (cpu.cfs_quota_us) of Linux's control groups. The limits
    of all parent groups apply too, so the result is the smallest.
    """
    return min(_quotas(mount, membership), default=None)


def _quotas(mount: Path, membership: Path) -> Iterator[float]:
    for hierarchy, group in _groups(mount, membership):
        # A container may see the host's path of its group, with only the last part mounted. So
        # missing directories are skipped.
        for place in (group, *group.parents):
            directory = hierarchy / place.relative_to("/")
            yield from _quota_2(directory)
            yield from _quota_1(directory)


def _groups(mount: Path, membership: Path) -> Iterator[tuple[Path, PurePosixPath]]:
    for line in _lines(membership):
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not group.startswith("/"):
            continue
        if not controllers:
            yield mount, PurePosixPath(group)
        elif "cpu" in controllers.split(","):
            yield mount / controllers, PurePosixPath(group)
            yield mount / "cpu", PurePosixPath(group)


def _quota_2(directory: Path) -> Iterator[float]:
    words = " ".join(_lines(directory / "cpu.max")).split()
    if len(words) == 2 and words[0] != "max":
        yield int(words[0]) / int(words[1])


def _quota_1(directory: Path) -> Iterator[float]:
    quota = _lines(directory / "cpu.cfs_quota_us")
    period = _lines(directory / "cpu.cfs_period_us")
    if quota and period and int(quota[0]) > 0:
        yield int(quota[0]) / int(period[0])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
