"""Features: what the network gets to see of a point (x1, x2)."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from playground.catalogue.component import Component, members


class Feature(Component):
    """`compute` takes the two plotted inputs of any shape and gives the feature in the same shape."""

    of_both: ClassVar[bool] = True
    """Whether it needs x2."""

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        raise NotImplementedError


class X1(Feature):
    """The horizontal input as it is."""

    kind: Literal["x1"] = "x1"
    label: ClassVar[str] = "X₁"
    formula: ClassVar[str] = r"x_1"
    of_both: ClassVar[bool] = False

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x1


class X2(Feature):
    """The vertical input as it is."""

    kind: Literal["x2"] = "x2"
    label: ClassVar[str] = "X₂"
    formula: ClassVar[str] = r"x_2"

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x2


class X1Squared(Feature):
    """The square of the horizontal input: how far left or right, not on which side."""

    kind: Literal["x1^2"] = "x1^2"
    label: ClassVar[str] = "X₁²"
    formula: ClassVar[str] = r"x_1^2"
    of_both: ClassVar[bool] = False

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x1


class X2Squared(Feature):
    """The square of the vertical input: how far up or down, not on which side."""

    kind: Literal["x2^2"] = "x2^2"
    label: ClassVar[str] = "X₂²"
    formula: ClassVar[str] = r"x_2^2"

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x2 * x2


class X1TimesX2(Feature):
    """The product of both inputs: positive where their signs agree. It solves XOR at once."""

    kind: Literal["x1*x2"] = "x1*x2"
    label: ClassVar[str] = "X₁X₂"
    formula: ClassVar[str] = r"x_1 x_2"

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x1 * x2


class SinX1(Feature):
    """A wave along the horizontal input."""

    kind: Literal["sin(x1)"] = "sin(x1)"
    label: ClassVar[str] = "sin X₁"
    formula: ClassVar[str] = r"\sin x_1"
    of_both: ClassVar[bool] = False

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x1.sin()


class SinX2(Feature):
    """A wave along the vertical input."""

    kind: Literal["sin(x2)"] = "sin(x2)"
    label: ClassVar[str] = "sin X₂"
    formula: ClassVar[str] = r"\sin x_2"

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x2.sin()


class CosX1(Feature):
    """A wave along the horizontal input, a quarter turn ahead of the sine."""

    kind: Literal["cos(x1)"] = "cos(x1)"
    label: ClassVar[str] = "cos X₁"
    formula: ClassVar[str] = r"\cos x_1"
    of_both: ClassVar[bool] = False

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x1.cos()


class CosX2(Feature):
    """A wave along the vertical input, a quarter turn ahead of the sine."""

    kind: Literal["cos(x2)"] = "cos(x2)"
    label: ClassVar[str] = "cos X₂"
    formula: ClassVar[str] = r"\cos x_2"

    @staticmethod
    def compute(x1: Tensor, x2: Tensor) -> Tensor:
        return x2.cos()


def available(inputs: int) -> tuple[str, ...]:
    """Every feature that can be made of so many raw inputs; those past the second are taken as they are."""
    made = tuple(cls.name() for cls in members(Feature) if inputs > 1 or not cls.of_both)
    return made + tuple(f"x{i}" for i in range(3, inputs + 1))


def columns(names: tuple[str, ...], inputs: Tensor) -> Tensor:
    """Features (n, len(names)) of raw inputs (n, D)."""
    families = {cls.name(): cls for cls in members(Feature)}
    x1, x2 = inputs[:, 0], inputs[:, min(1, inputs.shape[1] - 1)]  # of one input no feature needs x2
    made = [
        families[name].compute(x1, x2) if name in families else inputs[:, int(name[1:]) - 1] for name in names
    ]
    return torch.stack(made, dim=1)
