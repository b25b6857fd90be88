"""Options for finding a model and running it in OpenVINO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from posewire_cli.command.option_types import Count

_FILES = Parameter(group=Group("Model files", sort_key=8))


@Parameter(name="*", group=Group("OpenVINO", sort_key=9))
@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    cache: Annotated[Path | None, _FILES] = None
    """Model cache directory (default: $POSEWIRE_CACHE or the user's cache)."""

    mirror: Annotated[str | None, _FILES] = None
    """Address to download from instead of the publisher's (default: $POSEWIRE_MIRROR)."""

    offline: Annotated[bool, _FILES] = False
    """Fail rather than download a model on first use (default: $POSEWIRE_OFFLINE)."""

    device: str = "CPU"
    """OpenVINO device, such as CPU, GPU, NPU or AUTO."""

    performance: Literal["latency", "throughput"] = "latency"
    """Performance goal: time per image, or images per second."""

    inference_precision: Literal["f32", "bf16", "f16"] = "f32"
    """Arithmetic precision."""

    threads: Count | None = None
    """CPU threads per model (default: chosen by OpenVINO within the CPU quota)."""

    streams: Count | None = None
    """Images processed in parallel (default: set by --performance)."""

    compiled_cache: Path | None = None
    """Directory for compiled models, for faster restarts (default: none)."""
