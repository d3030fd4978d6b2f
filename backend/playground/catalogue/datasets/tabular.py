"""Data sets that are tables: a file of the visitor's own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, Strict

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import FILLED, Data, Sample, classification
from playground.catalogue.tables.roles import choose, learned, target_values
from playground.catalogue.tables.table import Column, Table
from playground.errors import ValidationFailed, fault
from playground.i18n import say


class Csv(Data):
    """A table of your own. Its columns are stretched to the square that the pictures show."""

    kind: Literal["csv"] = "csv"
    label: ClassVar[str] = "Your file"
    formula: ClassVar[str] = r"x \mapsto 10.8\, \frac{x - x_{\min}}{x_{\max} - x_{\min}} - 5.4"
    id: str = Field(max_length=64, description="Of the uploaded file")
    target: str | None = Field(default=None, description="Column to predict; without a name, it is guessed")
    x1: str | None = Field(default=None, description="Column of numbers drawn to the right")
    x2: str | None = Field(
        default=None, description="Column of numbers drawn upwards; empty where x1 is the only input"
    )
    inputs: Annotated[tuple[str, ...], Strict(False)] | None = Field(
        default=None, description="Columns for the inputs x3, x4, …; without names, all that are left"
    )

    def task(self, tables: Mapping[str, Table]) -> Task:
        inputs, target = self._columns(tables)
        values, labels = target_values(target)
        names = tuple(column.name for column in inputs)
        ranges = tuple(_square_of(column.values) for column in inputs)
        if labels:
            task = classification(labels, names)
            return replace(task, input_ranges=ranges, target_name=target.name)
        scale = (float(values.min()), float(values.max()))
        return Task("regression", 0, len(names), (), names, ranges, target.name, scale)

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        inputs, target = self._columns(tables)
        values, labels = target_values(target)
        reach = FILLED * limits.HALF_SPAN
        scaled = np.stack([reach * _stretched(column.values) for column in inputs], axis=1)
        return scaled.astype(np.float32), values if labels else _stretched(values).astype(np.float32)

    def _columns(self, tables: Mapping[str, Table]) -> tuple[list[Column], Column]:
        """The inputs and the target, in the rows that have all of them."""
        table = tables.get(self.id)
        if table is None:
            raise ValidationFailed(fault("id", say("table.unknown", id=self.id)))
        return learned(table, choose(table, self.x1, self.x2, self.target, self.inputs))


def _square_of(values: np.ndarray) -> tuple[float, float]:
    """The values at both ends of the square: those of the column fill 90 % of it."""
    low, high = float(values.min()), float(values.max())
    margin = (high / 2 - low / 2) * (1 / FILLED - 1) or 1.0
    return low - margin, high + margin


def _stretched(values: np.ndarray) -> np.ndarray:
    """Scaled to [-1, 1] by smallest and largest value; zeros where all are the same."""
    half = values / 2  # so that the span of the largest floats does not overflow
    low, span = half.min(), half.max() - half.min()
    return 2 * ((half - low) / span) - 1 if span > 0 else np.zeros_like(values)
