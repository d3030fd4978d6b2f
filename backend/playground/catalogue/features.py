"""Features: what the network gets to see of a point. Any formula of its inputs is one; some have a name."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import AfterValidator
from torch import Tensor

from playground import limits
from playground.catalogue.component import Component, members
from playground.catalogue.formulas.field import formula_of
from playground.catalogue.formulas.grammar import parse
from playground.catalogue.formulas.tree import evaluate, inputs_of
from playground.catalogue.fourier import Fourier, number_of

_LENGTH, _FORMULA = formula_of(limits.INPUTS)


def _named(text: str) -> str:
    return text if number_of(text) else _FORMULA.func(text)


AnyFeature = Annotated[str, _LENGTH, AfterValidator(_named)]
"""The name of a feature: its formula, written in the one way, or that of a random Fourier feature."""


class Feature(Component):
    """One that is offered by name: its kind is its formula."""


class X1(Feature):
    """The horizontal input as it is."""

    kind: Literal["x1"] = "x1"
    label: ClassVar[str] = "X₁"
    formula: ClassVar[str] = r"x_1"


class X2(Feature):
    """The vertical input as it is."""

    kind: Literal["x2"] = "x2"
    label: ClassVar[str] = "X₂"
    formula: ClassVar[str] = r"x_2"


class X1Squared(Feature):
    """The square of the horizontal input: how far left or right, not on which side."""

    kind: Literal["x1^2"] = "x1^2"
    label: ClassVar[str] = "X₁²"
    formula: ClassVar[str] = r"x_1^2"


class X2Squared(Feature):
    """The square of the vertical input: how far up or down, not on which side."""

    kind: Literal["x2^2"] = "x2^2"
    label: ClassVar[str] = "X₂²"
    formula: ClassVar[str] = r"x_2^2"


class X1TimesX2(Feature):
    """The product of both inputs: positive where their signs agree. It solves XOR at once."""

    kind: Literal["x1*x2"] = "x1*x2"
    label: ClassVar[str] = "X₁X₂"
    formula: ClassVar[str] = r"x_1 x_2"


class SinX1(Feature):
    """A wave along the horizontal input."""

    kind: Literal["sin(x1)"] = "sin(x1)"
    label: ClassVar[str] = "sin X₁"
    formula: ClassVar[str] = r"\sin x_1"


class SinX2(Feature):
    """A wave along the vertical input."""

    kind: Literal["sin(x2)"] = "sin(x2)"
    label: ClassVar[str] = "sin X₂"
    formula: ClassVar[str] = r"\sin x_2"


class CosX1(Feature):
    """A wave along the horizontal input, a quarter turn ahead of the sine."""

    kind: Literal["cos(x1)"] = "cos(x1)"
    label: ClassVar[str] = "cos X₁"
    formula: ClassVar[str] = r"\cos x_1"


class CosX2(Feature):
    """A wave along the vertical input, a quarter turn ahead of the sine."""

    kind: Literal["cos(x2)"] = "cos(x2)"
    label: ClassVar[str] = "cos X₂"
    formula: ClassVar[str] = r"\cos x_2"


def needed(name: str) -> int:
    """How many raw inputs there have to be for this feature."""
    if number_of(name):
        return 1
    return max(inputs_of(parse(name)), default=0)


def available(inputs: int) -> tuple[str, ...]:
    """The features that are offered of so many raw inputs; those past the second are taken as they are."""
    made = tuple(cls.name() for cls in members(Feature) if needed(cls.name()) <= inputs)
    return made + tuple(f"x{i}" for i in range(3, inputs + 1))


def columns(names: tuple[str, ...], inputs: Tensor, fourier: Fourier | None = None) -> Tensor:
    """Features (n, len(names)) of raw inputs (n, D). Where a formula has no value it is 0, and no value is
    beyond `limits.FEATURE_VALUE`."""
    bound = limits.FEATURE_VALUE
    waves = {name: number for name in names if (number := number_of(name))}
    drawn = dict(zip(waves, (fourier or Fourier()).waves([*waves.values()], inputs).T, strict=True))
    made = torch.stack([drawn[n] if n in drawn else evaluate(parse(n), inputs) for n in names], dim=1)
    return made.nan_to_num(nan=0, posinf=bound, neginf=-bound).clamp(-bound, bound)
