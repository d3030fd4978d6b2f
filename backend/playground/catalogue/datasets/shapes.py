"""The shapes that every course begins with.

The first ones, and what noise means to each, are those of TensorFlow Playground; its class -1 is class 0
here, its +1 class 1. Positions and noise come from streams of their own, so more noise moves the same points.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import (
    REGRESSION,
    Sample,
    Synthetic,
    TwoClasses,
    classification,
    polar,
)
from playground.catalogue.tables.table import Table


class Circle(TwoClasses):
    """A disc of one class inside a ring of the other. No straight line parts them."""

    kind: Literal["circle"] = "circle"
    label: ClassVar[str] = "Circle"
    formula: ClassVar[str] = r"y = 1 \iff x_1^2 + x_2^2 < 2.5^2"

    def generate(self, seed: int) -> Sample:
        place = self.uniform(seed, "position")
        along = (place[:, 0] + 1) / 2
        radius = np.where(self.alternate() == 1, 2.5 * along, 3.5 + 1.5 * along)
        positions = polar(radius, np.pi * place[:, 1])
        seen = positions + 5 * self.noise * self.uniform(seed, "noise")  # noise moves what the label is of
        return positions, np.linalg.norm(seen, axis=1) < 2.5


class Xor(TwoClasses):
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


class Gauss(TwoClasses):
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


class Spiral(TwoClasses):
    """Two arms wound around each other. Hard: it takes hidden layers, or features that wave."""

    kind: Literal["spiral"] = "spiral"
    label: ClassVar[str] = "Spiral"
    formula: ClassVar[str] = r"x = 5t\,(\sin \varphi, \cos \varphi),\quad \varphi = 3.5\pi t + \pi (1 - y)"

    def generate(self, seed: int) -> Sample:
        classes = self.alternate()
        before = np.where(classes == 1, classes.cumsum(), (1 - classes).cumsum()) - 1  # on the same arm
        along = before / (self.samples * np.where(classes == 1, self.share, 1 - self.share))
        arm = polar(5 * along, 1.75 * along * 2 * np.pi + np.pi * (1 - classes))
        return arm + self.noise * self.uniform(seed, "noise"), classes


class Moons(TwoClasses):
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
    classes: int = Field(
        default=3, ge=2, le=limits.CLASSES, description="Number of classes", json_schema_extra={"first": 4}
    )

    def task(self, tables: Mapping[str, Table]) -> Task:
        return classification(tuple(str(k) for k in range(self.classes)))

    def generate(self, seed: int) -> Sample:
        classes = self.alternate(self.classes)
        centre = polar(np.full(self.samples, 3.5), 2 * np.pi * classes / self.classes)
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
