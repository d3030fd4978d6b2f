"""Data sets: where the points come from that the network learns.

The shapes, and what noise means to each, are those of TensorFlow Playground; its class -1 is class 0 here,
its +1 class 1. Positions and noise come from streams of their own, so more noise moves the same points.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, Strict, ValidationInfo, field_validator

from playground import limits, randomness
from playground.catalogue.component import Component, Task
from playground.catalogue.tables.roles import choose, learned, target_values
from playground.catalogue.tables.table import Column, Table
from playground.errors import ValidationFailed, broken, fault
from playground.i18n import say

TWO_CLASSES = Task("binary", 2, class_labels=("0", "1"))
REGRESSION = Task("regression", 0)
Sample = tuple[np.ndarray, np.ndarray]
"""Positions (n, inputs) and targets (n,): int64 class indices, or floats for a regression."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs (n, task.inputs) float32 in [-6, 6]; targets (n,) int64 class indices, or float32 for a
    regression. The test set may be empty."""

    train_inputs: np.ndarray
    train_targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray
    task: Task

    @property
    def target_range(self) -> tuple[float, float]:
        """The values that a regression is drawn over, symmetrical so that zero is neutral."""
        targets = np.concatenate([self.train_targets, self.test_targets])
        bound = float(np.abs(targets).max(initial=0)) or 1.0
        return (-bound, bound)


FILLED = 0.9
"""Share of the square that the columns of a table fill, so that no point is cut by its edge."""


class Data(Component):
    """`tables` are the uploaded files by id; only CSV data looks into them."""

    train_fraction: float = Field(
        default=0.5,
        ge=0.1,
        le=1,
        title="Training share",
        description="Share of the points to train on; the others test what was learned",
    )
    draw: int = Field(
        default=0, ge=0, le=limits.SEED, description="Another number draws other points from the same seed"
    )

    def task(self, tables: Mapping[str, Table]) -> Task:
        """Raises ValidationFailed where a table or a column is missing."""
        raise NotImplementedError

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        """All points, before they are split, as in `Dataset`."""
        raise NotImplementedError

    def split(self, seed: int, tables: Mapping[str, Table]) -> Dataset:
        """Train and test points in random order. Only a fraction of 1, or a single point, leaves no test set.

        A point added at the end moves at most one other between train and test.
        """
        inputs, targets = self.sample(seed, tables)
        order = randomness.permutation(seed, "data.split", self.draw, len(inputs)).numpy()
        count = round(len(inputs) * self.train_fraction)
        if self.train_fraction < 1:
            count = max(1, min(count, len(inputs) - 1))
        train, test = order[:count], order[count:]
        return Dataset(inputs[train], targets[train], inputs[test], targets[test], self.task(tables))


class Synthetic(Data):
    """Points made by a rule. A subclass gives positions and targets in `generate`."""

    poses: ClassVar[Task] = TWO_CLASSES
    samples: int = Field(
        default=500, ge=2, le=limits.POINTS, description="Number of points, train and test together"
    )
    noise: float = Field(default=0.0, ge=0, le=0.5, description="How far the points stray from the rule")

    def task(self, tables: Mapping[str, Table]) -> Task:
        return self.poses

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        positions, targets = self.generate(seed)
        inputs = positions.clip(-limits.HALF_SPAN, limits.HALF_SPAN).astype(np.float32)
        return inputs, targets.astype(np.int64 if self.task(tables).classes else np.float32)

    def generate(self, seed: int) -> Sample:
        raise NotImplementedError

    def alternate(self, classes: int = 2) -> np.ndarray:
        """Classes (samples,) in turn, so that they are balanced however many points there are."""
        return np.arange(self.samples) % classes

    def uniform(self, seed: int, purpose: str) -> np.ndarray:
        """(samples, 2), each uniform in (-1, 1)."""
        return 2 * randomness.uniform(seed, f"data.{purpose}", self.draw, (self.samples, 2)).numpy() - 1

    def gaussian(self, seed: int, calm: float, wild: float) -> np.ndarray:
        """(samples, 2) normal around zero, of variance `calm` without noise and `wild` at a noise of 0.5."""
        variance = calm + (wild - calm) * self.noise / 0.5
        return variance**0.5 * randomness.normal(seed, "data.noise", self.draw, (self.samples, 2)).numpy()


class Circle(Synthetic):
    """A disc of one class inside a ring of the other. No straight line parts them."""

    kind: Literal["circle"] = "circle"
    label: ClassVar[str] = "Circle"
    formula: ClassVar[str] = r"y = 1 \iff x_1^2 + x_2^2 < 2.5^2"

    def generate(self, seed: int) -> Sample:
        place = self.uniform(seed, "position")
        along = (place[:, 0] + 1) / 2
        radius = np.where(self.alternate() == 1, 2.5 * along, 3.5 + 1.5 * along)
        positions = _polar(radius, np.pi * place[:, 1])
        seen = positions + 5 * self.noise * self.uniform(seed, "noise")  # noise moves what the label is of
        return positions, np.linalg.norm(seen, axis=1) < 2.5


class Xor(Synthetic):
    """Opposite corners belong together. The problem that one neuron alone cannot solve."""

    kind: Literal["xor"] = "xor"
    label: ClassVar[str] = "XOR"
    formula: ClassVar[str] = r"y = 1 \iff x_1 x_2 \ge 0"

    def generate(self, seed: int) -> Sample:
        place = self.uniform(seed, "position")
        signs = np.where(place < 0, -1, 1)
        signs[:, 1] = np.where(self.alternate() == 1, signs[:, 0], -signs[:, 0])
        positions = signs * (0.3 + 5 * np.abs(place))
        seen = positions + 5 * self.noise * self.uniform(seed, "noise")
        return positions, seen.prod(axis=1) >= 0


class Gauss(Synthetic):
    """Two round clouds. A straight line parts them, as well as anything can once they overlap."""

    kind: Literal["gauss"] = "gauss"
    label: ClassVar[str] = "Two Gaussians"
    formula: ClassVar[str] = (
        r"x \sim \mathcal{N}(\pm(2, 2),\, \sigma^2),\quad \sigma^2 = 0.5 + 7 \cdot \text{noise}"
    )

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        centre = np.where(classes == 1, 2.0, -2.0)
        return centre[:, None] + self.gaussian(seed, calm=0.5, wild=4), classes


class Spiral(Synthetic):
    """Two arms wound around each other. Hard: it takes hidden layers, or features that wave."""

    kind: Literal["spiral"] = "spiral"
    label: ClassVar[str] = "Spiral"
    formula: ClassVar[str] = r"x = 5t\,(\sin \varphi, \cos \varphi),\quad \varphi = 3.5\pi t + \pi (1 - y)"

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        along = np.arange(self.samples) // 2 / (self.samples / 2)
        arm = _polar(5 * along, 1.75 * along * 2 * np.pi + np.pi * (1 - classes))
        return arm + self.noise * self.uniform(seed, "noise"), classes


class Moons(Synthetic):
    """Two half moons that reach into each other. A bent line parts them: a small hidden layer is enough."""

    kind: Literal["moons"] = "moons"
    label: ClassVar[str] = "Moons"
    formula: ClassVar[str] = (
        r"x = \pm 3\,(\cos\varphi - \tfrac12,\; \sin\varphi - \tfrac14) + \varepsilon,\quad"
        r" \varepsilon \sim \mathcal{N}(0,\, 0.1 + 2.8 \cdot \text{noise})"
    )

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        angle = np.pi * (self.uniform(seed, "position")[:, 0] + 1) / 2
        moon = 3 * np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
        turned = np.where(classes == 1, -1.0, 1.0)  # one moon is the other, turned by half a circle
        return turned[:, None] * moon + self.gaussian(seed, calm=0.1, wild=1.5), classes


class Blobs(Synthetic):
    """Round clouds on a circle, one for each class. For networks that choose between more than two."""

    kind: Literal["blobs"] = "blobs"
    label: ClassVar[str] = "Blobs"
    formula: ClassVar[str] = (
        r"x \sim \mathcal{N}(3.5\,(\sin\varphi_k, \cos\varphi_k),\, \sigma^2),\quad"
        r" \varphi_k = 2\pi k / K,\quad \sigma^2 = 0.25 + 3.5 \cdot \text{noise}"
    )
    classes: int = Field(default=3, ge=2, le=limits.CLASSES, description="Number of classes")

    def task(self, tables: Mapping[str, Table]) -> Task:
        return _classification(tuple(str(k) for k in range(self.classes)))

    def generate(self, seed: int) -> Sample:
        classes = self.alternate(self.classes)
        centre = _polar(np.full(self.samples, 3.5), 2 * np.pi * classes / self.classes)
        return centre + self.gaussian(seed, calm=0.25, wild=2), classes


class Plane(Synthetic):
    """A slope: the target grows evenly from one corner to the other. One linear neuron learns it."""

    kind: Literal["plane"] = "plane"
    label: ClassVar[str] = "Plane"
    formula: ClassVar[str] = r"y = \tfrac{1}{10}(x_1 + x_2)"
    poses: ClassVar[Task] = REGRESSION

    def generate(self, seed: int) -> Sample:
        positions = 6 * self.uniform(seed, "position")
        seen = positions + 6 * self.noise * self.uniform(seed, "noise")
        return positions, seen.sum(axis=1) / 10


class MultiGauss(Synthetic):
    """Hills and hollows in two rows, flat between them. A landscape with more than one slope."""

    kind: Literal["multi_gauss"] = "multi_gauss"
    label: ClassVar[str] = "Hills and hollows"
    formula: ClassVar[str] = (
        r"y = \pm\max(0,\, 1 - \tfrac12 \lVert x - c \rVert)\ \text{for the nearest centre}\ c"
    )
    poses: ClassVar[Task] = REGRESSION
    centres: ClassVar[np.ndarray] = np.array([(x, y) for y in (2.5, -2.5) for x in (-4, 0, 4)])
    signs: ClassVar[np.ndarray] = np.array([1, -1, 1, -1, 1, -1])

    def generate(self, seed: int) -> Sample:
        positions = 6 * self.uniform(seed, "position")
        seen = positions + 6 * self.noise * self.uniform(seed, "noise")
        distances = np.linalg.norm(seen[:, None] - self.centres, axis=2)  # (samples, 6)
        nearest = distances.argmin(axis=1)
        return positions, self.signs[nearest] * (1 - distances.min(axis=1) / 2).clip(0, 1)


Coordinate = Annotated[float, Field(ge=-limits.HALF_SPAN, le=limits.HALF_SPAN)]
Target = Annotated[float, Field(ge=-1e6, le=1e6)]
# Not strict: JSON has no tuples, so a list will do.
Point = Annotated[tuple[Coordinate, Coordinate, Target], Strict(False)]
PointList = Annotated[tuple[Point, ...], Strict(False)]


class Points(Data):
    """Points that you draw yourself, in any class, while the network learns."""

    kind: Literal["points"] = "points"
    label: ClassVar[str] = "Your points"
    formula: ClassVar[str] = r"(x_1, x_2) \mapsto y"
    points: PointList = Field(
        min_length=1, max_length=limits.POINTS, description="[x1, x2, target] of each point"
    )
    test_points: PointList | None = Field(
        default=None, description="Points to test with; without them, a share of the points is kept for it"
    )
    classes: int | None = Field(
        default=None,
        ge=0,
        le=limits.CLASSES,
        description="Number of classes, 0 for a regression; if left out, targets of 0 to 7 are classes",
    )

    @field_validator("test_points")
    @classmethod
    def few_enough(cls, test_points: tuple | None, info: ValidationInfo) -> tuple | None:
        count = len(info.data.get("points", ())) + len(test_points or ())
        if count > limits.POINTS:
            raise broken(say("rule.points_too_many", points=count, limit=limits.POINTS))
        return test_points

    @field_validator("classes")
    @classmethod
    def one_for_each_target(cls, classes: int | None, info: ValidationInfo) -> int | None:
        if classes == 1:
            raise broken(say("rule.one_class"))
        if classes:
            for *_, target in info.data.get("points", ()) + (info.data.get("test_points") or ()):
                if target not in range(classes):
                    rule = say("rule.target_outside", target=target, classes=classes, last=classes - 1)
                    raise broken(rule)
        return classes

    def task(self, tables: Mapping[str, Table]) -> Task:
        classes = self.classes
        if classes is None:
            targets = [target for *_, target in self.points + (self.test_points or ())]
            whole = all(target in range(limits.CLASSES) for target in targets)
            classes = max(2, int(max(targets)) + 1) if whole else 0
        return _classification(tuple(str(k) for k in range(classes))) if classes else REGRESSION

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        return self._arrays(self.points, self.task(tables))

    def split(self, seed: int, tables: Mapping[str, Table]) -> Dataset:
        if self.test_points is None:
            return super().split(seed, tables)
        task = self.task(tables)
        return Dataset(*self._arrays(self.points, task), *self._arrays(self.test_points, task), task)

    @staticmethod
    def _arrays(points: PointList, task: Task) -> Sample:
        rows = np.array(points, dtype=np.float64).reshape(-1, 3)
        inputs, targets = rows[:, :2], rows[:, 2]
        return inputs.astype(np.float32), targets.astype(np.int64 if task.classes else np.float32)


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
            task = _classification(labels, names)
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


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(n, 2) positions; the angle is measured from the top, clockwise."""
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


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


def _classification(labels: tuple[str, ...], names: tuple[str, ...] = ("x1", "x2")) -> Task:
    return Task("binary" if len(labels) == 2 else "multiclass", len(labels), len(names), labels, names)
