"""Trains the demo network on rendered scenes: `python -m training.train --help`.

Works in rounds: every process renders its scenes of the round, then trains on each of them twice.
A round's scenes and order follow from its number, so a run that was interrupted goes on as if it
had not been.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel

from training.batches import Batch, rendered, shuffled
from training.loss import TAG_JITTER_CELLS, Losses, heat_loss, tag_losses
from training.network import PoseNetwork
from training.splits import Split
from training.targets import HALF, QUARTER, Gaussian, cells_from_pixels, heatmaps

_BATCH_SIZE = 8
_WARM_UP_STEPS = 150
_HIGHEST_GRADIENT_NORM = 50.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """What a run consists of; everything about it but the machine's speed."""

    seed: int
    rounds: int
    small_rounds: int
    scenes_per_round: int
    processes: int
    learning_rate: float

    @property
    def steps_per_round(self) -> int:
        return 2 * self.scenes_per_round // _BATCH_SIZE

    def size(self, round_number: int) -> int:
        """Small scenes first: they hold the same people at 0.56 of the cost."""
        return 192 if round_number < self.small_rounds else 256

    def rate(self, step: int) -> float:
        """Linear warm-up, then a cosine to zero."""
        progress = step / (self.rounds * self.steps_per_round)
        warm_up = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return self.learning_rate * warm_up * (1 + math.cos(math.pi * progress)) / 2


def main() -> None:
    options = _parser().parse_args()
    schedule = Schedule(
        seed=options.seed,
        rounds=options.rounds,
        small_rounds=round(0.6 * options.rounds),
        scenes_per_round=options.scenes,
        processes=options.processes,
        learning_rate=options.learning_rate,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    # One process per core, each with one thread, is a quarter faster than one with two threads,
    # and survives a busy machine: threads that meet at the end of every layer do not.
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", str(options.port))
    multiprocessing.spawn(_process, args=(schedule, options.out), nprocs=schedule.processes)


def _process(rank: int, schedule: Schedule, out: Path) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(schedule.seed)
    distributed.init_process_group("gloo", rank=rank, world_size=schedule.processes)
    network = PoseNetwork().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), betas=(0.9, 0.99), fused=True)
    parallel = DistributedDataParallel(network, broadcast_buffers=False)
    checkpoint = out / "checkpoint.pt"
    for number in range(_resume(checkpoint, network, optimiser), schedule.rounds):
        began = time.monotonic()
        scenes = rendered(
            Split.TRAINING, _scene_indices(schedule, number, rank), size=schedule.size(number)
        )
        rendering_secs = time.monotonic() - began
        losses = _train_round(parallel, optimiser, schedule, scenes, number=number, rank=rank)
        if rank == 0:
            secs = time.monotonic() - began
            print(_report(schedule, number, losses, secs, rendering_secs), flush=True)
            _save(checkpoint, network, optimiser, schedule, rounds=number + 1)
    distributed.destroy_process_group()


def _scene_indices(schedule: Schedule, number: int, rank: int) -> range:
    begin = number * schedule.scenes_per_round
    return range(begin + rank, begin + schedule.scenes_per_round, schedule.processes)


def _train_round(
    network: DistributedDataParallel,
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    scenes: Batch,
    *,
    number: int,
    rank: int,
) -> list[float]:
    """Mean losses of the round."""
    seed = (schedule.seed, number, rank)
    batches = shuffled(scenes, batch_size=_BATCH_SIZE // schedule.processes, seed=seed)
    rng = np.random.default_rng((*seed, 1))
    sums = torch.zeros(4)
    network.train()
    for step, batch in zip(_steps(schedule, number), batches, strict=False):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        losses = _losses(network, batch, rng)
        optimiser.zero_grad()
        losses.total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), _HIGHEST_GRADIENT_NORM)
        optimiser.step()
        parts = (losses.quarter_heat, losses.half_heat, losses.pull, losses.push)
        sums += torch.stack(parts).detach()
    means: list[float] = (sums / schedule.steps_per_round).tolist()
    return means


def _steps(schedule: Schedule, number: int) -> Iterator[int]:
    begin = number * schedule.steps_per_round
    return iter(range(begin, begin + schedule.steps_per_round))


def _losses(network: DistributedDataParallel, batch: Batch, rng: np.random.Generator) -> Losses:
    frames = torch.from_numpy(np.ascontiguousarray(batch.frames)).permute(0, 3, 1, 2).float()
    quarter, half = network(frames)
    keypoint_count = half.shape[1]
    wanted = (_wanted(batch, QUARTER), _wanted(batch, HALF))
    cells = cells_from_pixels(batch.keypoints, stride=QUARTER.stride)
    cells += rng.uniform(-TAG_JITTER_CELLS, TAG_JITTER_CELLS, size=cells.shape)
    pull, push = tag_losses(
        quarter[:, keypoint_count:], torch.from_numpy(cells), torch.from_numpy(batch.labelled)
    )
    return Losses(
        quarter_heat=heat_loss(quarter[:, :keypoint_count], wanted[0]),
        half_heat=heat_loss(half, wanted[1]),
        pull=pull,
        push=push,
    )


def _wanted(batch: Batch, gaussian: Gaussian) -> Tensor:
    maps = heatmaps(batch.keypoints, batch.labelled, size=batch.size, gaussian=gaussian)
    return torch.from_numpy(maps).permute(0, 3, 1, 2)


def _report(
    schedule: Schedule, number: int, losses: list[float], secs: float, rendering_secs: float
) -> str:
    quarter, half, pull, push = losses
    return (
        f"round {number + 1}/{schedule.rounds}  {schedule.size(number)} px  "
        f"heat {1e3 * quarter:.3f} {1e3 * half:.3f}  pull {pull:.4f}  push {push:.4f}  "
        f"{2 * schedule.scenes_per_round / secs:.1f} images/s, {rendering_secs:.0f} s rendering"
    )


def _resume(checkpoint: Path, network: PoseNetwork, optimiser: torch.optim.Optimizer) -> int:
    """The number of the next round."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["rounds"])


def _save(
    checkpoint: Path,
    network: PoseNetwork,
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    *,
    rounds: int,
) -> None:
    state = {
        "schedule": asdict(schedule),
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "rounds": rounds,
    }
    partial = checkpoint.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(checkpoint)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description="Train the demo network. Goes on where an earlier run in OUT stopped.",
    )
    parser.add_argument("--out", type=Path, required=True, help="directory of checkpoint.pt")
    parser.add_argument("--rounds", type=int, default=60, help="default: %(default)s")
    parser.add_argument("--scenes", type=int, default=2000, help="per round; default: %(default)s")
    parser.add_argument("--processes", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--port", type=int, default=29517, help="where the processes meet")
    return parser


if __name__ == "__main__":
    main()
