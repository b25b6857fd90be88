"""Options for running a model in OpenVINO."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cyclopts import Group, Parameter

from posewire_cli.command.option_types import Count


@Parameter(name="*", group=Group("OpenVINO", sort_key=9))
@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    cache: Path | None = None
    """Model cache directory (default: $POSEWIRE_CACHE or the user's cache)."""

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
