"""Data sets that are tables: a file of the visitor's own, and those that the field has measured itself by.

The measured ones come with scikit-learn, and are from the UCI Machine Learning Repository.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
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

SCALED = r"x \mapsto 10.8\, \frac{x - x_{\min}}{x_{\max} - x_{\min}} - 5.4"


class Tabular(Data):
    """Columns of a table, stretched to the square that the pictures show. A subclass chooses them."""

    def task(self, tables: Mapping[str, Table]) -> Task:
        inputs, target = self.columns(tables)
        values, labels = self.classes(target)
        names = tuple(column.name for column in inputs)
        ranges = tuple(_square_of(column.values) for column in inputs)
        if labels:
            task = classification(labels, names)
            return replace(task, input_ranges=ranges, target_name=target.name)
        scale = (float(values.min()), float(values.max()))
        return Task("regression", 0, len(names), (), names, ranges, target.name, scale)

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        inputs, target = self.columns(tables)
        values, labels = self.classes(target)
        reach = FILLED * limits.HALF_SPAN
        scaled = np.stack([reach * _stretched(column.values) for column in inputs], axis=1)
        return scaled.astype(np.float32), values if labels else _stretched(values).astype(np.float32)

    def columns(self, tables: Mapping[str, Table]) -> tuple[list[Column], Column]:
        """The inputs and the target, in the rows that have all of them."""
        raise NotImplementedError

    def classes(self, target: Column) -> tuple[np.ndarray, tuple[str, ...]]:
        """As `target_values`."""
        return target_values(target)


class Measured(Tabular):
    """A table that comes with scikit-learn: numbers, and a class."""

    group: ClassVar[str] = "measured"
    formula: ClassVar[str] = SCALED
    labels: ClassVar[tuple[str, ...]]
    drawn: ClassVar[tuple[str, str]]
    """The columns that the map is drawn over: two that tell the classes apart well."""
    inputs: ClassVar[int]

    def kind_and_inputs(self) -> tuple[str, int]:
        """Told without the table, which the catalogue must not load."""
        return classification(self.labels).kind, self.inputs

    def columns(self, tables: Mapping[str, Table]) -> tuple[list[Column], Column]:
        by_name = {column.name: column for column in _measured(self.kind)}
        target = by_name.popitem()[1]
        names = [*self.drawn, *(name for name in by_name if name not in self.drawn)]
        return [by_name[name] for name in names], replace(target, labels=self.labels)

    def classes(self, target: Column) -> tuple[np.ndarray, tuple[str, ...]]:
        return target.values, target.labels


class Iris(Measured):
    """150 flowers of three species, by four lengths. One species stands apart, two touch (Fisher, 1936)."""

    kind: Literal["iris"] = "iris"
    label: ClassVar[str] = "Iris"
    labels: ClassVar[tuple[str, ...]] = ("setosa", "versicolor", "virginica")
    drawn: ClassVar[tuple[str, str]] = ("petal length (cm)", "petal width (cm)")
    inputs: ClassVar[int] = 4


class Wine(Measured):
    """178 wines of one region, made of three kinds of grapes. 13 measurements tell which (Forina, 1991)."""

    kind: Literal["wine"] = "wine"
    label: ClassVar[str] = "Wine"
    labels: ClassVar[tuple[str, ...]] = ("Barolo", "Grignolino", "Barbera")
    drawn: ClassVar[tuple[str, str]] = ("flavanoids", "alcohol")
    inputs: ClassVar[int] = 13


class BreastCancer(Measured):
    """569 tumours, malignant or benign, by 30 measures of their cells under a microscope (Wolberg, Street,
    Mangasarian, 1993). To miss a malignant one costs more than a false alarm: look at the recall."""

    kind: Literal["breast_cancer"] = "breast_cancer"
    label: ClassVar[str] = "Breast cancer"
    labels: ClassVar[tuple[str, ...]] = ("malignant", "benign")
    drawn: ClassVar[tuple[str, str]] = ("worst concave points", "worst perimeter")
    inputs: ClassVar[int] = 30


class Digits(Measured):
    """1797 digits written by hand, as 8 × 8 pixels: p5_2 is the one in row 5 and column 2, counted from 0.
    Two pixels tell little, all 64 nearly everything (Alpaydin, Kaynak, 1998). Give the network a layer of 16
    neurons."""

    kind: Literal["digits"] = "digits"
    label: ClassVar[str] = "Digits"
    labels: ClassVar[tuple[str, ...]] = tuple("0123456789")
    drawn: ClassVar[tuple[str, str]] = ("p5_2", "p2_5")
    inputs: ClassVar[int] = 64


class Csv(Tabular):
    """A table of your own. Its columns are stretched to the square that the pictures show."""

    kind: Literal["csv"] = "csv"
    label: ClassVar[str] = "Your file"
    formula: ClassVar[str] = SCALED
    id: str = Field(max_length=64, description="Of the uploaded file")
    target: str | None = Field(default=None, description="Column to predict; without a name, it is guessed")
    x1: str | None = Field(default=None, description="Column of numbers drawn to the right")
    x2: str | None = Field(
        default=None, description="Column of numbers drawn upwards; empty where x1 is the only input"
    )
    inputs: Annotated[tuple[str, ...], Strict(False)] | None = Field(
        default=None, description="Columns for the inputs x3, x4, …; without names, all that are left"
    )

    def columns(self, tables: Mapping[str, Table]) -> tuple[list[Column], Column]:
        """The inputs and the target, in the rows that have all of them."""
        table = tables.get(self.id)
        if table is None:
            raise ValidationFailed(fault("id", say("table.unknown", id=self.id)))
        return learned(table, choose(table, self.x1, self.x2, self.target, self.inputs))


@lru_cache
def _measured(kind: str) -> tuple[Column, ...]:
    """The columns of a table of scikit-learn, which is imported only then: that takes a second."""
    table = getattr(import_module("sklearn.datasets"), f"load_{kind}")()
    names = (name.replace("pixel_", "p") for name in table.feature_names)  # short, as x1 is
    numbers = (Column(name, "number", column) for name, column in zip(names, table.data.T, strict=True))
    return (*numbers, Column("target", "label", table.target.astype(np.int64)))


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
