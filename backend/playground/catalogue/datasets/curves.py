"""Functions of one input: how well does a network of this width follow the curve?"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from playground import limits, randomness
from playground.catalogue.component import Task
from playground.catalogue.datasets.data import Sample, Samples, Synthetic


class Curve(Synthetic):
    """A function of one input, given in `rule`. Noise and outliers move the targets, never the positions."""

    group: ClassVar[str] = "curves"
    poses: ClassVar[Task] = Task("regression", 0, 1, (), ("x1",))
    samples: Samples = 200
    outliers: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        title="Outliers",
        description="Share of the points that are thrown far above the curve: a squared error runs after"
        " them, an absolute one hardly does",
        json_schema_extra={"first": 4},
    )

    def generate(self, seed: int) -> Sample:
        x = limits.HALF_SPAN * self.uniform(seed, "position", self.task({}).inputs)
        strayed = self.rule(*x.T) + self.noise * self._normal(seed)
        chance, height = (self.uniform(seed, "outliers", columns=2).T + 1) / 2
        return x, strayed + np.where(chance < self.outliers, 2 + height, 0)

    def rule(self, *x: np.ndarray) -> np.ndarray:
        """What there is to learn, (n,) in [-1, 1], of each input (n,)."""
        raise NotImplementedError

    def _normal(self, seed: int) -> np.ndarray:
        return randomness.normal(seed, "data.noise", self.draw, (self.samples,)).numpy()


class SineCurve(Curve):
    """A wave, smooth and bent both ways. One hidden layer follows it, with more neurons more closely."""

    kind: Literal["sine_curve"] = "sine_curve"
    label: ClassVar[str] = "Sine wave"
    formula: ClassVar[str] = (
        r"y = \sin x_1 + \varepsilon,\quad \varepsilon \sim \mathcal{N}(0,\, \text{noise}^2)"
    )

    def rule(self, *x: np.ndarray) -> np.ndarray:
        return np.sin(x[0])


class StepCurve(Curve):
    """A jump. What a network draws has no gaps, so it can only come close, with large weights."""

    kind: Literal["step_curve"] = "step_curve"
    label: ClassVar[str] = "Step"
    formula: ClassVar[str] = (
        r"y = \operatorname{sign} x_1 + \varepsilon,\quad \varepsilon \sim \mathcal{N}(0,\, \text{noise}^2)"
    )

    def rule(self, *x: np.ndarray) -> np.ndarray:
        return np.where(x[0] >= 0, 1.0, -1.0)


class Sawtooth(Curve):
    """Three teeth that rise slowly and fall at once. It takes neurons for every tooth."""

    kind: Literal["sawtooth"] = "sawtooth"
    label: ClassVar[str] = "Sawtooth"
    formula: ClassVar[str] = (
        r"y = 2\left(\tfrac{x_1}{4} - \left\lfloor \tfrac{x_1}{4} + \tfrac12 \right\rfloor\right)"
        r" + \varepsilon"
    )

    def rule(self, *x: np.ndarray) -> np.ndarray:
        return 2 * (x[0] / 4 - np.floor(x[0] / 4 + 0.5))
