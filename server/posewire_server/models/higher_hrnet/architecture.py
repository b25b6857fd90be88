"""The layers of HigherHRNet, for any width of its first branch.

Cheng et al., "HigherHRNet: Scale-Aware Representation Learning for Bottom-Up Human Pose
Estimation", CVPR 2020. Names are those of the authors' state dicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from posewire_server.models.higher_hrnet.convolution import Convolution

_STEM_WIDTH = 64
_BOTTLENECK_WIDTH = 64
_BOTTLENECK_EXPANSION = 4
_BLOCKS = 4  # in each branch, in layer1 and after the deconvolution
_MODULES = {2: 1, 3: 4, 4: 3}  # by stage; stage n has n branches


@dataclass(frozen=True, slots=True)
class Residual:
    """Convolutions, plus their input or the `shortcut` convolution of it; then ReLU."""

    convolutions: tuple[Convolution, ...]
    shortcut: Convolution | None = None

    def layers(self) -> Iterator[Convolution]:
        yield from self.convolutions
        if self.shortcut:
            yield self.shortcut


@dataclass(frozen=True, slots=True)
class Path:
    """From one branch to another: convolutions, then nearest-neighbour upsampling."""

    convolutions: tuple[Convolution, ...] = ()
    upsampling: int = 1


@dataclass(frozen=True, slots=True)
class Fusion:
    """One branch after a module: ReLU of the sum of the paths from all branches."""

    name: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """Parallel branches, followed by an exchange between them."""

    branches: tuple[tuple[Residual, ...], ...]
    fusions: tuple[Fusion, ...]

    def layers(self) -> Iterator[Convolution]:
        for blocks in self.branches:
            for block in blocks:
                yield from block.layers()
        for fusion in self.fusions:
            for path in fusion.paths:
                yield from path.convolutions


@dataclass(frozen=True, slots=True)
class Stage:
    """A sequence of modules; a branch without a transition passes unchanged.

    A new branch starts from the last branch of the stage before.
    """

    transitions: tuple[Convolution | None, ...]
    modules: tuple[Module, ...]

    def layers(self) -> Iterator[Convolution]:
        yield from filter(None, self.transitions)
        for module in self.modules:
            yield from module.layers()


@dataclass(frozen=True, slots=True)
class Architecture:
    """The whole network.

    `quarter_maps` computes 2 K maps, heatmaps and tags, at a quarter of the input's size. Features
    and these maps together pass `deconvolution` and `blocks`, from whose output `half_maps`
    computes K heatmaps at half of the input's size.
    """

    width: int
    stem: tuple[Convolution, ...]
    layer1: tuple[Residual, ...]
    stages: tuple[Stage, ...]
    quarter_maps: Convolution
    half_maps: Convolution
    deconvolution: Convolution
    blocks: tuple[Residual, ...]

    @classmethod
    def of(cls, width: int, *, keypoints: int) -> Architecture:
        """Build the network with branches of 1, 2, 4 and 8 times `width`."""
        return cls(
            width=width,
            stem=(
                Convolution("conv1", "bn1", inputs=3, outputs=_STEM_WIDTH, kernel=3, stride=2),
                Convolution(
                    "conv2", "bn2", inputs=_STEM_WIDTH, outputs=_STEM_WIDTH, kernel=3, stride=2
                ),
            ),
            layer1=tuple(_bottleneck(index) for index in range(_BLOCKS)),
            stages=tuple(_stage(number, width) for number in _MODULES),
            quarter_maps=_maps("final_layers.0", width, 2 * keypoints),
            half_maps=_maps("final_layers.1", width, keypoints),
            deconvolution=Convolution(
                "deconv_layers.0.0.0",
                "deconv_layers.0.0.1",
                inputs=width + 2 * keypoints,
                outputs=width,
                kernel=4,
                stride=2,
                transposed=True,
            ),
            blocks=tuple(
                _basic_block(f"deconv_layers.0.{index}.0", width) for index in range(1, _BLOCKS + 1)
            ),
        )

    @property
    def name(self) -> str:
        return f"higher-hrnet-w{self.width}"

    def layers(self) -> Iterator[Convolution]:
        """Yield all convolutions in the order of the state dict."""
        yield from self.stem
        for block in self.layer1:
            yield from block.layers()
        for stage in self.stages:
            yield from stage.layers()
        yield from (self.quarter_maps, self.half_maps, self.deconvolution)
        for block in self.blocks:
            yield from block.layers()


def _maps(name: str, width: int, count: int) -> Convolution:
    return Convolution(name, None, inputs=width, outputs=count, kernel=1, relu=False)


def _bottleneck(index: int) -> Residual:
    name = f"layer1.{index}"
    middle = _BOTTLENECK_WIDTH
    outputs = middle * _BOTTLENECK_EXPANSION
    inputs = outputs if index else _STEM_WIDTH
    return Residual(
        (
            _block_convolution(name, 1, inputs, middle, kernel=1),
            _block_convolution(name, 2, middle, middle),
            _block_convolution(name, 3, middle, outputs, kernel=1, relu=False),
        ),
        shortcut=None
        if inputs == outputs
        else _sequence_convolution(f"{name}.downsample", inputs, outputs, kernel=1, relu=False),
    )


def _basic_block(name: str, width: int) -> Residual:
    first = _block_convolution(name, 1, width, width)
    return Residual((first, _block_convolution(name, 2, width, width, relu=False)))


def _stage(number: int, width: int) -> Stage:
    widths = [width << branch for branch in range(number)]
    return Stage(
        tuple(_transition(number, branch, widths) for branch in range(number)),
        tuple(
            _module(f"stage{number}.{index}", widths, fusion_count=_fusion_count(number, index))
            for index in range(_MODULES[number])
        ),
    )


def _fusion_count(number: int, index: int) -> int:
    """Only the finest branch of the last module is used."""
    is_last = number == max(_MODULES) and index == _MODULES[number] - 1
    return 1 if is_last else number


def _transition(number: int, branch: int, widths: Sequence[int]) -> Convolution | None:
    name = f"transition{number - 1}.{branch}"
    before = _BOTTLENECK_WIDTH * _BOTTLENECK_EXPANSION if number == 2 else widths[-2]
    if branch == number - 1:
        return _sequence_convolution(f"{name}.0", before, widths[branch], stride=2)
    return _sequence_convolution(name, before, widths[branch]) if number == 2 else None


def _module(name: str, widths: Sequence[int], *, fusion_count: int) -> Module:
    return Module(
        tuple(
            tuple(
                _basic_block(f"{name}.branches.{branch}.{index}", width) for index in range(_BLOCKS)
            )
            for branch, width in enumerate(widths)
        ),
        tuple(
            _fusion(f"{name}.fuse_layers.{branch}", branch, widths)
            for branch in range(fusion_count)
        ),
    )


def _fusion(name: str, branch: int, widths: Sequence[int]) -> Fusion:
    return Fusion(
        name,
        tuple(_path(f"{name}.{source}", source, branch, widths) for source in range(len(widths))),
    )


def _path(name: str, source: int, target: int, widths: Sequence[int]) -> Path:
    """Make the path from branch `source` to `target`; branch 0 is the finest."""
    if source >= target:
        halvings = source - target
        convolution = _sequence_convolution(
            name, widths[source], widths[target], kernel=1, relu=False
        )
        return Path((convolution,), 2**halvings) if halvings else Path()
    steps = target - source
    *inner, last = (f"{name}.{step}" for step in range(steps))
    reductions = [
        _sequence_convolution(step, widths[source], widths[source], stride=2) for step in inner
    ]
    return Path(
        (
            *reductions,
            _sequence_convolution(last, widths[source], widths[target], stride=2, relu=False),
        )
    )


def _block_convolution(
    name: str, number: int, inputs: int, outputs: int, *, kernel: int = 3, relu: bool = True
) -> Convolution:
    """Make a convolution with the names of the authors' blocks."""
    return Convolution(
        f"{name}.conv{number}",
        f"{name}.bn{number}",
        inputs=inputs,
        outputs=outputs,
        kernel=kernel,
        relu=relu,
    )


def _sequence_convolution(
    name: str, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, relu: bool = True
) -> Convolution:
    """Make a convolution named by its index in a sequence of convolution and normalisation."""
    return Convolution(
        f"{name}.0",
        f"{name}.1",
        inputs=inputs,
        outputs=outputs,
        kernel=kernel,
        stride=stride,
        relu=relu,
    )
