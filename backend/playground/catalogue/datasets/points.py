"""Points that the visitor draws."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, Strict, ValidationInfo, field_validator

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import REGRESSION, Data, Dataset, Sample, classification
from playground.catalogue.tables.table import Table
from playground.errors import broken
from playground.i18n import say

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
        return classification(tuple(str(k) for k in range(classes))) if classes else REGRESSION

    @property
    def is_tested(self) -> bool:
        if self.test_points is not None:
            return len(self.test_points) > 0
        return super().is_tested and len(self.points) > 1

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
