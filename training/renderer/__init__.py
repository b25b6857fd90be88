"""Renders people for training: pictures and clips that know where everybody's keypoints are."""

from __future__ import annotations

from training.renderer.clip import render_clip
from training.renderer.plot import Plot
from training.renderer.scene import Person, Scene
from training.renderer.still import render_still

__all__ = ["Person", "Plot", "Scene", "render_clip", "render_still"]
