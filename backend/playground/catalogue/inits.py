"""Initialisers: the weights that a network starts from."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component
from playground.catalogue.datasets.tensorflow_playground import (
    SEED_TEXT,
    DatasetName,
    drawn_later,
    text_of,
)
from playground.randomness import normal, uniform

Draw = Callable[[], Tensor]
"""Draws float64 numbers of the shape of a weight (R, in, out)."""


class Init(Component):
    """`uniform` draws from (-1, 1), `normal` from the standard normal distribution."""

    bias: float = Field(default=0.0, title="Bias", ge=-10, le=10, description="What every bias starts from")

    def weights(self, shapes: Sequence[tuple[int, int]], seeds: Tensor) -> list[Tensor]:
        """The weights (R, in, out) of layers of these shapes (in, out), for seeds (R,)."""
        return [
            self.weight(
                *shape,
                uniform=lambda s=shape, p=f"init {index}": uniform(seeds, p, 0, s) * 2 - 1,
                normal=lambda s=shape, p=f"init {index}": normal(seeds, p, 0, s),
            )
            for index, shape in enumerate(shapes)
        ]

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        """The weights of one layer, (R, in, out)."""
        raise NotImplementedError


class Zero(Init):
    """All weights zero. Every unit of a layer then stays the same as its neighbours for ever: a lesson,
    not a start."""

    kind: Literal["zero"] = "zero"
    label: ClassVar[str] = "Zero"
    formula: ClassVar[str] = r"w = 0"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return torch.zeros_like(uniform())


class Constant(Init):
    """All weights the same number. As with zero, the units of a layer stay alike for ever: there is nothing
    that tells them apart."""

    kind: Literal["constant"] = "constant"
    label: ClassVar[str] = "Constant"
    formula: ClassVar[str] = r"w = c"
    value: float = Field(default=0.5, title="Value", ge=-10, le=10, description="Every weight")

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return torch.full_like(uniform(), self.value)


class Uniform(Init):
    """Uniform between -limit and limit, whatever the size of the layer."""

    kind: Literal["uniform"] = "uniform"
    label: ClassVar[str] = "Uniform"
    formula: ClassVar[str] = r"w \sim U(-a, a)"
    limit: float = Field(default=0.5, title="Limit", gt=0, le=10, description="Largest weight")

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return uniform() * self.limit


class Normal(Init):
    """Normal around zero, whatever the size of the layer."""

    kind: Literal["normal"] = "normal"
    label: ClassVar[str] = "Normal"
    formula: ClassVar[str] = r"w \sim N(0, s^2)"
    std: float = Field(default=0.5, title="Standard deviation", gt=0, le=10, description="Standard deviation")

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return normal() * self.std


class WithGain(Init):
    """For an activation that takes something away from the size of the signals."""

    gain: float = Field(
        default=1.0,
        title="Gain",
        gt=0,
        le=10,
        description="Factor of all weights, for what the activation takes away: 5/3 for tanh, √2 for ReLU",
    )


class XavierUniform(WithGain):
    """Keeps the size of signals and gradients alike from layer to layer; made for tanh (Glorot, Bengio,
    2010)."""

    kind: Literal["xavier_uniform"] = "xavier_uniform"
    label: ClassVar[str] = "Xavier uniform"
    formula: ClassVar[str] = r"w \sim U(-a, a),\quad a = g \sqrt{6 / (n_{in} + n_{out})}"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return uniform() * (6 / (fan_in + fan_out)) ** 0.5 * self.gain


class XavierNormal(WithGain):
    """As Xavier uniform, with normal numbers: signals and gradients keep their size from layer to layer
    (Glorot, Bengio, 2010)."""

    kind: Literal["xavier_normal"] = "xavier_normal"
    label: ClassVar[str] = "Xavier normal"
    formula: ClassVar[str] = r"w \sim N(0, s^2),\quad s = g \sqrt{2 / (n_{in} + n_{out})}"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return normal() * (2 / (fan_in + fan_out)) ** 0.5 * self.gain


class HeUniform(Init):
    """As He normal, with uniform numbers: signals keep their size through ReLUs (He et al., 2015)."""

    kind: Literal["he_uniform"] = "he_uniform"
    label: ClassVar[str] = "He uniform"
    formula: ClassVar[str] = r"w \sim U(-a, a),\quad a = \sqrt{6 / n_{in}}"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return uniform() * (6 / fan_in) ** 0.5


class HeNormal(Init):
    """Keeps the size of signals through ReLUs, which halve them (He et al., 2015)."""

    kind: Literal["he_normal"] = "he_normal"
    label: ClassVar[str] = "He normal"
    formula: ClassVar[str] = r"w \sim N(0, 2 / n_{in})"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return normal() * (2 / fan_in) ** 0.5


class LeCunUniform(Init):
    """As LeCun normal, with uniform numbers: each sum varies as much as one input does (LeCun et al.,
    1998)."""

    kind: Literal["lecun_uniform"] = "lecun_uniform"
    label: ClassVar[str] = "LeCun uniform"
    formula: ClassVar[str] = r"w \sim U(-a, a),\quad a = \sqrt{3 / n_{in}}"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return uniform() * (3 / fan_in) ** 0.5


class LeCunNormal(Init):
    """Each sum varies as much as one input does, however many there are (LeCun et al., 1998). SELU needs
    it."""

    kind: Literal["lecun_normal"] = "lecun_normal"
    label: ClassVar[str] = "LeCun normal"
    formula: ClassVar[str] = r"w \sim N(0, 1 / n_{in})"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return normal() * (1 / fan_in) ** 0.5


class Orthogonal(WithGain):
    """The weights turn and mirror the signals, and neither stretch nor squeeze them, however deep the network
    is: rows, or columns, at right angles and of one length (Saxe et al., 2013)."""

    kind: Literal["orthogonal"] = "orthogonal"
    label: ClassVar[str] = "Orthogonal"
    formula: ClassVar[str] = r"W = g\,Q,\quad Q^\top Q = 1"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        drawn = normal()
        tall = drawn.cpu() if fan_in >= fan_out else drawn.cpu().mT  # a GPU would round otherwise
        # One by one: how LAPACK rounds depends on where in memory a matrix of a batch lies.
        q, r = map(torch.stack, zip(*map(torch.linalg.qr, tall), strict=True))
        # With a positive diagonal of R there is but one solution, whoever finds it.
        q = q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]
        return (q if fan_in >= fan_out else q.mT).to(drawn) * self.gain


class TensorflowPlaygroundWeights(Init):
    """The weights that a link of TensorFlow Playground begins with, from its own random numbers: uniform
    between -½ and ½, drawn unit by unit after the points, and a bias of 0.1."""

    kind: Literal["tensorflow_playground_weights"] = "tensorflow_playground_weights"
    label: ClassVar[str] = "TensorFlow Playground"
    formula: ClassVar[str] = r"w = u - \tfrac12,\quad b = 0.1,\quad u = \mathrm{ARC4}(\text{seed})"
    bias: float = Field(default=0.1, title="Bias", ge=-10, le=10, description="What every bias starts from")
    dataset: DatasetName = Field(
        default="circle",
        title="Drawn after",
        description="The data set whose points took the first random numbers; the weights get the next ones",
    )
    seed: str = SEED_TEXT

    def weights(self, shapes: Sequence[tuple[int, int]], seeds: Tensor) -> list[Tensor]:
        sizes = [fan_in * fan_out for fan_in, fan_out in shapes]
        numbers = np.stack(
            [drawn_later(self.dataset, text_of(self.seed, seed), sum(sizes)) for seed in seeds.tolist()]
        )
        layers = torch.from_numpy(numbers - 0.5).to(seeds.device).split(sizes, dim=1)
        return [
            layer.unflatten(1, (fan_out, fan_in)).mT
            for layer, (fan_in, fan_out) in zip(layers, shapes, strict=True)
        ]
