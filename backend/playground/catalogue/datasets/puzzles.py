"""Shapes and rules that are harder than they look."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import (
    TWO_CLASSES,
    Noise,
    Sample,
    Synthetic,
    TwoClasses,
    classification,
    polar,
)
from playground.catalogue.tables.table import Table

BOARD = 5.4
"""Half of the square that a pattern fills."""


class Rings(TwoClasses):
    """Rings around one another, in turn of each class. The more rings, the more neurons it takes."""

    group: ClassVar[str] = "shapes"
    kind: Literal["rings"] = "rings"
    label: ClassVar[str] = "Rings"
    formula: ClassVar[str] = (
        r"y = \lfloor r / w \rfloor \bmod 2,\quad r = \sqrt{x_1^2 + x_2^2},\; w = 5.4 / K"
    )
    rings: int = Field(
        default=4,
        ge=2,
        le=8,
        title="Rings",
        description="Number of them; the innermost is a disc",
        json_schema_extra={"first": 4},
    )

    def generate(self, seed: int) -> Sample:
        place, classes = self.uniform(seed, "position"), self.alternate()
        of_class = np.where(classes == 1, self.rings // 2, (self.rings + 1) // 2)  # rings that it has
        along = (place[:, 0] + 1) / 2 * of_class
        ring = 2 * np.floor(along) + classes
        radius = (ring + 0.15 + 0.7 * (along % 1)) * BOARD / self.rings
        return polar(radius, np.pi * place[:, 1]) + self.noise * self.uniform(seed, "noise"), classes


class Checkerboard(TwoClasses):
    """The squares of a chessboard. XOR many times over: no single line says much."""

    group: ClassVar[str] = "shapes"
    kind: Literal["checkerboard"] = "checkerboard"
    label: ClassVar[str] = "Chess board"
    formula: ClassVar[str] = (
        r"y = \left(\lfloor x_1 / w \rfloor + \lfloor x_2 / w \rfloor\right) \bmod 2,\quad w = 10.8 / K"
    )
    squares: int = Field(
        default=4,
        ge=2,
        le=8,
        title="Squares",
        description="Squares in each row and column",
        json_schema_extra={"first": 4},
    )

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        along, upwards = (self.uniform(seed, "position").T + 1) / 2
        board = np.indices((self.squares, self.squares)).sum(axis=0) % 2
        corners = np.empty((self.samples, 2))
        for k in (0, 1):  # each class has squares of its own to choose from
            own = np.argwhere(board == k)
            corners[classes == k] = own[(along[classes == k] * len(own)).astype(np.int64)]
            along[classes == k] *= len(own)
        positions = (2 * (corners + np.stack([along % 1, upwards], axis=1)) / self.squares - 1) * BOARD
        return positions + self.noise * self.uniform(seed, "noise"), classes


class Waves(TwoClasses):
    """Points on a sine against points on a cosine. They cross, so not every point can be told apart."""

    group: ClassVar[str] = "shapes"
    kind: Literal["waves"] = "waves"
    label: ClassVar[str] = "Sine and cosine"
    formula: ClassVar[str] = r"x_2 = 3 \sin x_1 \;(y = 0),\quad x_2 = 3 \cos x_1 \;(y = 1)"

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        x = limits.HALF_SPAN * self.uniform(seed, "position")[:, 0]
        wave = 3 * np.where(classes == 1, np.cos(x), np.sin(x))
        return np.stack([x, wave], axis=1) + 2 * self.noise * self.uniform(seed, "noise"), classes


class Parity(TwoClasses):
    """Is the number of inputs that are on odd? XOR of many inputs: each of them alone says nothing at all."""

    group: ClassVar[str] = "rules"
    kind: Literal["parity"] = "parity"
    label: ClassVar[str] = "Parity"
    formula: ClassVar[str] = r"y = \left(\sum_{i=1}^{k} [x_i > 0]\right) \bmod 2,\quad x_i = \pm 4"
    bits: int = Field(
        default=3,
        ge=2,
        le=8,
        title="Inputs",
        description="Number of inputs, each on or off",
        json_schema_extra={"first": 4},
    )
    noise: Noise = 0.2

    def task(self, tables: Mapping[str, Table]) -> Task:
        names = tuple(f"x{i + 1}" for i in range(self.bits))
        return classification(TWO_CLASSES.class_labels, names)

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        on = self.uniform(seed, "position", self.bits) > 0
        on[:, 0] ^= on.sum(axis=1) % 2 != classes  # the first one makes it right
        return np.where(on, 4.0, -4.0) + 4 * self.noise * self.uniform(seed, "noise", self.bits), classes


class ModularAddition(Synthetic):
    """Adding like a clock: past the last hour it begins anew. Networks that learned it have been taken apart
    to see how (Nanda et al., 2023)."""

    group: ClassVar[str] = "rules"
    kind: Literal["modular_addition"] = "modular_addition"
    label: ClassVar[str] = "Modular addition"
    formula: ClassVar[str] = r"y = (a + b) \bmod p"
    modulus: int = Field(
        default=5,
        ge=2,
        le=limits.CLASSES,
        title="Modulus p",
        description="Where counting begins anew",
        json_schema_extra={"first": 4},
    )
    noise: Noise = 0.2

    def task(self, tables: Mapping[str, Table]) -> Task:
        task = classification(tuple(str(k) for k in range(self.modulus)), ("a", "b"))
        last = self.modulus - 1
        margin = last * (limits.HALF_SPAN / 10 - 0.5)
        return replace(task, input_ranges=((-margin, last + margin),) * 2, target_name="(a + b) mod p")

    def generate(self, seed: int) -> Sample:
        sums = self.alternate(self.modulus)
        a = np.floor((self.uniform(seed, "position")[:, 0] + 1) / 2 * self.modulus)
        numbers = np.stack([a, (sums - a) % self.modulus], axis=1) + self.noise * self.uniform(seed, "noise")
        return 10 * numbers / (self.modulus - 1) - 5, sums
