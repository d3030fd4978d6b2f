"""Data sets that are tables: a file of the visitor's own, and those that the field has measured itself by.

The measured ones come with scikit-learn, and are from the UCI Machine Learning Repository.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
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
    file: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    """Of the columns of the file that are inputs, as scikit-learn has them; the last column is the class."""

    def kind_and_inputs(self) -> tuple[str, int]:
        """Told without the table, which the catalogue must not load."""
        return classification(self.labels).kind, len(self.names)

    def columns(self, tables: Mapping[str, Table]) -> tuple[list[Column], Column]:
        inputs, target = _measured(type(self))
        by_name = {column.name: column for column in inputs}
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
    file: ClassVar[str] = "iris.csv"
    names: ClassVar[tuple[str, ...]] = (
        "sepal length (cm)",
        "sepal width (cm)",
        "petal length (cm)",
        "petal width (cm)",
    )


class Wine(Measured):
    """178 wines of one region, made of three kinds of grapes. 13 measurements tell which (Forina, 1991)."""

    kind: Literal["wine"] = "wine"
    label: ClassVar[str] = "Wine"
    labels: ClassVar[tuple[str, ...]] = ("Barolo", "Grignolino", "Barbera")
    drawn: ClassVar[tuple[str, str]] = ("flavanoids", "alcohol")
    file: ClassVar[str] = "wine_data.csv"
    names: ClassVar[tuple[str, ...]] = (
        "alcohol",
        "malic_acid",
        "ash",
        "alcalinity_of_ash",
        "magnesium",
        "total_phenols",
        "flavanoids",
        "nonflavanoid_phenols",
        "proanthocyanins",
        "color_intensity",
        "hue",
        "od280/od315_of_diluted_wines",
        "proline",
    )


class BreastCancer(Measured):
    """569 tumours, malignant or benign, by 30 measures of their cells under a microscope (Wolberg, Street,
    Mangasarian, 1993). To miss a malignant one costs more than a false alarm: look at the recall."""

    kind: Literal["breast_cancer"] = "breast_cancer"
    label: ClassVar[str] = "Breast cancer"
    labels: ClassVar[tuple[str, ...]] = ("malignant", "benign")
    drawn: ClassVar[tuple[str, str]] = ("worst concave points", "worst perimeter")
    file: ClassVar[str] = "breast_cancer.csv"
    names: ClassVar[tuple[str, ...]] = tuple(
        statistic.format(measure)
        for statistic in ("mean {}", "{} error", "worst {}")
        for measure in (
            "radius",
            "texture",
            "perimeter",
            "area",
            "smoothness",
            "compactness",
            "concavity",
            "concave points",
            "symmetry",
            "fractal dimension",
        )
    )


class Digits(Measured):
    """1797 digits written by hand, as 8 × 8 pixels: p5_2 is the one in row 5 and column 2, counted from 0.
    Two pixels tell little, all 64 nearly everything (Alpaydin, Kaynak, 1998). Give the network a layer of 16
    neurons."""

    kind: Literal["digits"] = "digits"
    label: ClassVar[str] = "Digits"
    labels: ClassVar[tuple[str, ...]] = tuple("0123456789")
    drawn: ClassVar[tuple[str, str]] = ("p5_2", "p2_5")
    file: ClassVar[str] = "digits.csv.gz"
    names: ClassVar[tuple[str, ...]] = tuple(f"p{row}_{column}" for row in range(8) for column in range(8))


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
def _measured(cls: type[Measured]) -> tuple[list[Column], Column]:
    """The inputs of a table and its target. Only the file is read: to import scikit-learn takes seconds, in
    which nobody else is answered."""
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "datasets" / "data" / cls.file
    *inputs, target = np.loadtxt(path, delimiter=",", skiprows=0 if path.suffix == ".gz" else 1, unpack=True)
    columns = [Column(name, "number", column) for name, column in zip(cls.names, inputs, strict=True)]
    return columns, Column("target", "label", target.astype(np.int64))


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
