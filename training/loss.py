"""Heatmap and associative-embedding losses (Newell et al., 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# A heatmap is zero almost everywhere: its few warm cells would hardly count.
_WARM_CELL_WEIGHT = 4.0
_HEAT_WEIGHT = 1000.0
# HigherHRNet's own weight of the tag loss, 1e-3 of the heatmap loss, leaves a network this small
# for long where it begins, with all tags alike: the push loss has no gradient there.
_PULL_WEIGHT = 8.0
_PUSH_WEIGHT = 16.0
# Peaks are found a little beside where they were painted, so tags must hold there too.
TAG_JITTER_CELLS = 0.6


@dataclass(frozen=True, slots=True)
class Losses:
    """Scalars, unweighted."""

    quarter_heat: Tensor
    half_heat: Tensor
    pull: Tensor
    push: Tensor

    @property
    def total(self) -> Tensor:
        heat = self.quarter_heat + self.half_heat
        return _HEAT_WEIGHT * heat + _PULL_WEIGHT * self.pull + _PUSH_WEIGHT * self.push


def heat_loss(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error in which a cell of heat 1 counts five times as much as a cold one."""
    return ((predicted - wanted) ** 2 * (1 + _WARM_CELL_WEIGHT * wanted)).mean()


def tag_losses(tags: Tensor, cells: Tensor, labelled: Tensor) -> tuple[Tensor, Tensor]:
    """Pull and push of tag maps (B, K, H, W) for keypoints at `cells` (B, P, K, 2), x and y.

    Pull is each person's variance around the person's mean tag, push falls with the distance of
    two people's means. Both are means over the people, or pairs, of all scenes; 0 without any.
    """
    present = labelled.any(dim=2)
    count = labelled.sum(dim=2).clamp(min=1)
    sampled = _sampled(tags, cells) * labelled
    means = sampled.sum(dim=2) / count
    deviations = (sampled - means[:, :, None]) ** 2 * labelled
    pull = (deviations.sum(dim=2) / count).sum() / present.sum().clamp(min=1)

    pairs = present[:, :, None] & present[:, None, :]
    pairs = pairs & ~torch.eye(pairs.shape[1], dtype=torch.bool)
    closeness = torch.exp(-((means[:, :, None] - means[:, None, :]) ** 2)) * pairs
    push = 0.5 * closeness.sum() / pairs.sum().clamp(min=1)
    return pull, push


def _sampled(tags: Tensor, cells: Tensor) -> Tensor:
    """The tags (B, P, K) at the cells nearest to `cells`, those outside at the border."""
    batch, keypoints, height, width = tags.shape
    nearest = cells.round().long()
    x = nearest[..., 0].clamp(0, width - 1)
    y = nearest[..., 1].clamp(0, height - 1)
    flat = (y * width + x).transpose(1, 2)
    return tags.reshape(batch, keypoints, -1).gather(2, flat).transpose(1, 2)
