"""The points of TensorFlow Playground, number for number: those that a link to it stands for.

All that is random there comes of one stream, `SeedRandom` of its seed: first the points, then the order that
they are shuffled into, then the weights (`inits.TensorflowPlaygroundWeights`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground.catalogue.component import Task
from playground.catalogue.datasets.data import REGRESSION, TWO_CLASSES, Data, Dataset, Sample
from playground.catalogue.tables.table import Table
from playground.seedrandom import SeedRandom

Point = tuple[float, float, float]
"""x1, x2 and the label: -1 or 1, or the value of a regression."""
Rule = Callable[[SeedRandom, int, float], list[Point]]
"""Makes so many points, with this noise."""
SEED_LENGTH = 200
SEED_TEXT: str = Field(
    default="0.12345",
    min_length=1,
    max_length=SEED_LENGTH,
    title="Seed text",
    description="What the random numbers are made of, as it stands in a link",
    json_schema_extra={"typed": True},
)
SUMMITS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))
"""Of the regression on Gaussians: where they are, and their sign."""


def _circle(stream: SeedRandom, count: int, noise: float) -> list[Point]:
    points = []
    for low, high in ((0, 2.5), (3.5, 5)):
        for _ in range(count // 2):
            radius, angle = stream.uniform(low, high), stream.uniform(0, 2 * math.pi)
            x, y = radius * math.sin(angle), radius * math.cos(angle)
            dx, dy = stream.uniform(-5, 5) * noise, stream.uniform(-5, 5) * noise
            points.append((x, y, 1.0 if _distance(x + dx, y + dy) < 2.5 else -1.0))
    return points


def _xor(stream: SeedRandom, count: int, noise: float) -> list[Point]:
    def padded() -> float:
        place = stream.uniform(-5, 5)
        return place + (0.3 if place > 0 else -0.3)

    points = []
    for _ in range(count):
        x, y = padded(), padded()
        dx, dy = stream.uniform(-5, 5) * noise, stream.uniform(-5, 5) * noise
        points.append((x, y, 1.0 if (x + dx) * (y + dy) >= 0 else -1.0))
    return points


def _gauss(stream: SeedRandom, count: int, noise: float) -> list[Point]:
    spread = math.sqrt(0.5 + 7 * noise)

    def normal(mean: float) -> float:
        """By the polar method of Marsaglia, of which one of two numbers is used."""
        while True:
            v, w = 2 * stream.random() - 1, 2 * stream.random() - 1
            square = v * v + w * w
            if square <= 1:
                return mean + spread * (math.sqrt(-2 * math.log(square) / square) * v)

    return [(normal(2 * sign), normal(2 * sign), sign) for sign in (1.0, -1.0) for _ in range(count // 2)]


def _spiral(stream: SeedRandom, count: int, noise: float) -> list[Point]:
    points, n = [], count // 2
    for turned, label in ((0.0, 1.0), (math.pi, -1.0)):
        for i in range(n):
            radius, angle = i / n * 5, 1.75 * i / n * 2 * math.pi + turned
            x = radius * math.sin(angle) + stream.uniform(-1, 1) * noise
            y = radius * math.cos(angle) + stream.uniform(-1, 1) * noise
            points.append((x, y, label))
    return points


def _regression(value: Callable[[float, float], float]) -> Rule:
    def points(stream: SeedRandom, count: int, noise: float) -> list[Point]:
        made = []
        for _ in range(count):
            x, y = stream.uniform(-6, 6), stream.uniform(-6, 6)
            dx, dy = stream.uniform(-6, 6) * noise, stream.uniform(-6, 6) * noise
            made.append((x, y, value(x + dx, y + dy)))
        return made

    return points


def _highest(x: float, y: float) -> float:
    """Of the cones around the summits the one that is largest here."""
    label = 0.0
    for at_x, at_y, sign in SUMMITS:
        height = sign * max(0.0, min(1.0, 1 - _distance(x - at_x, y - at_y) / 2))
        if abs(height) > abs(label):
            label = height
    return label


def _distance(x: float, y: float) -> float:
    return math.sqrt(x * x + y * y)


RULES: dict[str, tuple[Rule, int]] = {
    "circle": (_circle, 500),
    "xor": (_xor, 500),
    "gauss": (_gauss, 500),
    "spiral": (_spiral, 500),
    "reg-plane": (_regression(lambda x, y: (x + y) / 10), 1200),
    "reg-gauss": (_regression(_highest), 1200),
}
"""How the points are made, and how many there are."""
REGRESSIONS = ("reg-plane", "reg-gauss")
DatasetName = Literal["circle", "xor", "gauss", "spiral", "reg-plane", "reg-gauss"]


def text_of(seed: str, *more: int) -> str:
    """The seed of a link as it is; with other numbers than 0 beside it, another text for each."""
    return " ".join([seed, *map(str, more)]) if any(more) else seed


@lru_cache(maxsize=16)
def drawn(dataset: DatasetName, noise: float, seed: str) -> np.ndarray:
    """All points in their order, (n, 3) float64."""
    return _read_only(_draw(SeedRandom(seed), dataset, noise))


@lru_cache(maxsize=16)
def drawn_later(dataset: DatasetName, seed: str, count: int) -> np.ndarray:
    """The numbers that come after those for the points, float64; noise does not change how many that are."""
    stream = SeedRandom(seed)
    _draw(stream, dataset, 0.0)
    return _read_only([stream.random() for _ in range(count)])


def _draw(stream: SeedRandom, dataset: DatasetName, noise: float) -> list[Point]:
    rule, count = RULES[dataset]
    points = rule(stream, count, noise)
    for last in range(len(points) - 1, -1, -1):
        other = math.floor(stream.random() * (last + 1))
        points[last], points[other] = points[other], points[last]
    return points


def _read_only(numbers: Sequence[float | Point]) -> np.ndarray:
    made = np.array(numbers)
    made.flags.writeable = False
    return made


class TensorflowPlayground(Data):
    """The points that a link of TensorFlow Playground shows, from its own random numbers: with the text of
    its seed and the same settings, each point is where it is there. -1 is class 0, and +1 class 1."""

    kind: Literal["tensorflow_playground"] = "tensorflow_playground"
    label: ClassVar[str] = "TF Playground"
    formula: ClassVar[str] = r"u_1, u_2, \dots = \mathrm{ARC4}(\text{seed})"
    group: ClassVar[str] = "shapes"
    dataset: DatasetName = Field(
        default="circle",
        title="Data set",
        description="By the name that it has in links of TensorFlow Playground; those that begin with reg are"
        " regressions",
        json_schema_extra={"first": 2},
    )
    noise: float = Field(
        default=0.0,
        ge=0,
        le=0.8,
        title="Noise",
        description="How far the points stray from the rule; a hundredth of the number in a link",
        json_schema_extra={"first": 3},
    )
    seed: str = SEED_TEXT

    def task(self, tables: Mapping[str, Table]) -> Task:
        return REGRESSION if self.dataset in REGRESSIONS else TWO_CLASSES

    def points(self, seed: int) -> np.ndarray:
        """(n, 3) float64: x1, x2 and the label, in the order in which they are trained on."""
        return drawn(self.dataset, self.noise, text_of(self.seed, seed, self.draw))

    def sample(self, seed: int, tables: Mapping[str, Table]) -> Sample:
        points = self.points(seed)
        inputs, labels = points[:, :2].astype(np.float32), points[:, 2]
        return inputs, labels.astype(np.float32) if self.dataset in REGRESSIONS else (labels > 0).astype(
            np.int64
        )

    def split(self, seed: int, tables: Mapping[str, Table]) -> Dataset:
        """The first ones are trained on; they have been shuffled already."""
        inputs, targets = self.sample(seed, tables)
        count = math.floor(len(inputs) * self.train_fraction + 1e-9)
        return Dataset(inputs[:count], targets[:count], inputs[count:], targets[count:], self.task(tables))
