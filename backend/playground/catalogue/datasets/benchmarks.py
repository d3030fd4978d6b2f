"""Data sets of the literature, point by point: nothing about them is random but who tests."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import FILLED, TWO_CLASSES, Data, Sample, TrainFraction, polar
from playground.catalogue.tables.table import Table


class XorPoints(Data):
    """The four points of XOR, and nothing between them. Two hidden neurons solve it, even with weights set by
    hand (Goodfellow, Bengio, Courville, 2016)."""

    group: ClassVar[str] = "rules"
    kind: Literal["xor_points"] = "xor_points"
    label: ClassVar[str] = "XOR, four points"
    formula: ClassVar[str] = r"y = x_1 \oplus x_2,\quad x \in \{0, s\}^2"
    train_fraction: TrainFraction = 1.0
    side: float = Field(
        default=1.0,
        ge=1,
        le=6,
        title="Side s",
        description="Distance between neighbours: 1 in most books",
        json_schema_extra={"first": 4},
    )

    def task(self, tables: Mapping[str, Table]) -> Task:
        return TWO_CLASSES

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        corners = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
        return (self.side * corners).astype(np.float32), corners.sum(axis=1) % 2


class TwoSpirals(Data):
    """Two spirals of 97 points that wind three times around each other: a hard benchmark (Lang, Witbrock,
    1988). The axes have their coordinates; the network gets nine tenths of them, to keep all in view."""

    group: ClassVar[str] = "shapes"
    kind: Literal["two_spirals"] = "two_spirals"
    label: ClassVar[str] = "Two spirals"
    formula: ClassVar[str] = (
        r"x = \pm r\,(\sin\varphi, \cos\varphi),\quad \varphi_i = \tfrac{\pi i}{16},\;"
        r" r_i = 6.5\, \tfrac{104 - i}{104},\; i = 0 \dots 96"
    )
    train_fraction: TrainFraction = 1.0

    def task(self, tables: Mapping[str, Table]) -> Task:
        edge = limits.HALF_SPAN / FILLED
        return replace(TWO_CLASSES, input_ranges=((-edge, edge),) * 2)

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        i = np.arange(97)
        arm = polar(6.5 * (104 - i) / 104, np.pi * i / 16)
        points = FILLED * np.stack([arm, -arm], axis=1).reshape(-1, 2)  # in turn, as they are published
        return points.astype(np.float32), np.tile([1, 0], 97)
