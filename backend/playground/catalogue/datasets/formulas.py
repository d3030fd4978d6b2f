"""Formulas that the visitor types: to be followed, or to be the border between two classes."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.curves import Curve
from playground.catalogue.datasets.data import Sample, TwoClasses
from playground.catalogue.formulas.domain import defined, values_over_square
from playground.catalogue.formulas.field import formula_of
from playground.catalogue.formulas.grammar import parse
from playground.catalogue.formulas.tree import evaluate, inputs_of
from playground.catalogue.tables.table import Table

SMALL = 0.5
"""Targets that come no farther from 0, or farther than 1, are scaled."""


class Formula(Curve):
    """A formula of your own, to be followed: of one input a curve, of two a landscape. Targets are scaled to
    -1 … 1 where they are much larger or smaller."""

    group: ClassVar[str] = "formulas"
    kind: Literal["formula"] = "formula"
    label: ClassVar[str] = "Your formula"
    formula: ClassVar[str] = (
        r"y = f(x_1, x_2) + \varepsilon,\quad \varepsilon \sim \mathcal{N}(0,\, \text{noise}^2)"
    )
    f: Annotated[str, *formula_of(2), *defined()] = Field(
        default="sin(2*x1)+x1/3",
        title="Formula",
        description="What there is to learn, y: a formula of x1, or of x1 and x2",
        examples=["sin(2*x1)+x1/3", "abs(x1)", "x1^3/36-x1", "sin(x1)*cos(x2)", "exp(-(x1^2+x2^2)/8)"],
        json_schema_extra={"first": 0},
    )

    def task(self, tables: Mapping[str, Table]) -> Task:
        inputs = max(inputs_of(parse(self.f)), default=1)
        names = tuple(f"x{i + 1}" for i in range(inputs))
        return Task("regression", 0, inputs, (), names, None, self.f, _scale(self.f))

    def rule(self, *x: np.ndarray) -> np.ndarray:
        scale = _scale(self.f)
        low, high = scale or (-1.0, 1.0)
        return (2 * (_values(self.f, *x) - low) / (high - low) - 1).clip(-1, 1)


class Above(TwoClasses):
    """Points above a curve against those below it. You type the curve, so you choose how hard it is."""

    group: ClassVar[str] = "formulas"
    kind: Literal["above"] = "above"
    label: ClassVar[str] = "Above or below"
    formula: ClassVar[str] = r"y = 1 \iff x_2 > f(x_1)"
    f: Annotated[str, *formula_of(1), *defined()] = Field(
        default="3*sin(x1)",
        title="Curve",
        description="The border, x2: points above it are of class 1, those below of class 0",
        examples=["3*sin(x1)", "abs(x1)-2", "x1^2/6-3", "4*step(x1)-2", "6*exp(-x1^2/4)-3"],
        json_schema_extra={"first": 0},
    )

    def generate(self, seed: int) -> Sample:
        along, share = self.uniform(seed, "position").T
        x1 = limits.HALF_SPAN * along
        border = _values(self.f, x1)
        below = border.clip(-limits.HALF_SPAN, limits.HALF_SPAN)
        reach = np.where(self.alternate() == 1, limits.HALF_SPAN - below, -limits.HALF_SPAN - below)
        x2 = below + reach * (share + 1) / 2
        seen = x2 + 5 * self.noise * self.uniform(seed, "noise")[:, 0]  # noise moves what the label is of
        return np.stack([x1, x2], axis=1), seen > border


def _values(text: str, *x: np.ndarray) -> np.ndarray:
    """(n,) of the inputs (n,) each; 0 where it has none."""
    return evaluate(parse(text), torch.from_numpy(np.stack(x, axis=1))).nan_to_num().numpy()


@lru_cache
def _scale(text: str) -> tuple[float, float] | None:
    """The values that -1 and 1 stand for; none where it is drawn as it is."""
    values = values_over_square(text)
    if SMALL <= np.abs(values).max() <= 1:
        return None
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 1, high + 1)
