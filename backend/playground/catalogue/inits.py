"""Initialisers: the weights that a network starts from. Biases start at zero."""

from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component

Draw = Callable[[], Tensor]
"""Draws float64 numbers of the shape of a weight (R, in, out)."""


class Init(Component):
    """`uniform` draws from (-1, 1), `normal` from the standard normal distribution."""

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


class XavierUniform(Init):
    """Keeps the size of signals and gradients alike from layer to layer; made for tanh (Glorot, Bengio,
    2010)."""

    kind: Literal["xavier_uniform"] = "xavier_uniform"
    label: ClassVar[str] = "Xavier uniform"
    formula: ClassVar[str] = r"w \sim U(-a, a),\quad a = \sqrt{6 / (n_{in} + n_{out})}"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return uniform() * (6 / (fan_in + fan_out)) ** 0.5


class HeNormal(Init):
    """Keeps the size of signals through ReLUs, which halve them (He et al., 2015)."""

    kind: Literal["he_normal"] = "he_normal"
    label: ClassVar[str] = "He normal"
    formula: ClassVar[str] = r"w \sim N(0, 2 / n_{in})"

    def weight(self, fan_in: int, fan_out: int, uniform: Draw, normal: Draw) -> Tensor:
        return normal() * (2 / fan_in) ** 0.5
