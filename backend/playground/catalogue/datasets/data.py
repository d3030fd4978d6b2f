"""What a data set is: points, and what there is to learn from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from playground import limits, randomness
from playground.catalogue.component import Component, Task
from playground.catalogue.tables.table import Table

TWO_CLASSES = Task("binary", 2, class_labels=("0", "1"))
REGRESSION = Task("regression", 0)
Sample = tuple[np.ndarray, np.ndarray]
"""Positions (n, inputs) and targets: (n,) int64 class indices, or floats for a regression, (n, targets) if
it is on several numbers."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs (n, task.inputs) float32 in [-6, 6]; targets (n,) int64 class indices, or float32 for a
    regression, (n, task.targets) if it is on several numbers. The test set may be empty."""

    train_inputs: np.ndarray
    train_targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray
    task: Task
    copies: int = 0
    """So many of the last training points are copies of the others (`Augmentation`)."""

    @property
    def target_range(self) -> tuple[float, float]:
        """The values that a regression is drawn over, symmetrical so that zero is neutral; of colours all."""
        if self.task.picture:
            return (-1.0, 1.0)
        targets = np.concatenate([self.train_targets, self.test_targets])
        bound = float(np.abs(targets).max(initial=0)) or 1.0
        return (-bound, bound)


FILLED = 0.9
"""Share of the square that the columns of a table fill, so that no point is cut by its edge."""


TrainFraction = Annotated[
    float,
    Field(
        ge=0.1,
        le=1,
        title="Training share",
        description="Share of the points to train on; the others test what was learned",
        json_schema_extra={"first": 1},
    ),
]
Samples = Annotated[
    int,
    Field(
        ge=2,
        le=limits.POINTS,
        description="Number of points, train and test together",
        json_schema_extra={"first": 2},
    ),
]
Noise = Annotated[
    float,
    Field(ge=0, le=0.5, description="How far the points stray from the rule", json_schema_extra={"first": 3}),
]


class Data(Component):
    """`tables` are the uploaded files by id; only CSV data looks into them."""

    group: ClassVar[str] = ""
    """Under which heading a page offers it, one level down; those without one are offered at once."""

    train_fraction: TrainFraction = 0.5
    draw: int = Field(
        default=0, ge=0, le=limits.SEED, description="Another number draws other points from the same seed"
    )

    def task(self, tables: Mapping[str, Table]) -> Task:
        """Raises ValidationFailed where a table or a column is missing."""
        raise NotImplementedError

    def kind_and_inputs(self) -> tuple[str, int]:
        """The kind of task without any table, and its inputs. Raises as `task` does."""
        task = self.task({})
        return task.kind, task.inputs

    @property
    def is_tested(self) -> bool:
        """Whether it keeps points to test with, as far as can be told without drawing any."""
        return self.train_fraction < 1

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
    samples: Samples = 500
    noise: Noise = 0.0

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

    def uniform(self, seed: int, purpose: str, columns: int = 2) -> np.ndarray:
        """(samples, columns), each uniform in (-1, 1)."""
        return 2 * randomness.uniform(seed, f"data.{purpose}", self.draw, (self.samples, columns)).numpy() - 1

    def gaussian(self, seed: int, calm: float, wild: float) -> np.ndarray:
        """(samples, 2) normal around zero, of variance `calm` without noise and `wild` at a noise of 0.5."""
        variance = calm + (wild - calm) * self.noise / 0.5
        return variance**0.5 * randomness.normal(seed, "data.noise", self.draw, (self.samples, 2)).numpy()


class TwoClasses(Synthetic):
    """Points of two classes, of which one may be rare."""

    share: float = Field(
        default=0.5,
        ge=0.05,
        le=0.95,
        title="Share of class 1",
        description="Share of the points that are of class 1: where one class is rare, a network that never"
        " says it is right nearly always",
    )

    def alternate(self, classes: int = 2) -> np.ndarray:
        """A point is of class 1 whenever another whole one is due; half of them are every second."""
        due = np.floor(np.arange(self.samples + 1) * self.share)
        return np.diff(due).astype(np.int64)


def polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """(n, 2) positions; the angle is measured from the top, clockwise."""
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def classification(labels: tuple[str, ...], names: tuple[str, ...] = ("x1", "x2")) -> Task:
    return Task("binary" if len(labels) == 2 else "multiclass", len(labels), len(names), labels, names)
