"""Losses for two classes as -1 and +1, and those that ask for a margin between classes."""

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from playground.catalogue.component import Task
from playground.catalogue.losses import MARGIN, Loss


class MarginLoss(Loss):
    """For two classes as -1 and +1."""

    tasks: ClassVar[tuple[str, ...]] = ("binary",)
    margin: float = MARGIN

    def shortfall(self, output: Tensor, target: Tensor) -> Tensor:
        """What each sample lacks to its margin, (R, batch)."""
        sign = 2 * target.to(output.dtype) - 1
        return torch.relu(self.margin - sign * output.squeeze(-1))

    def predict(self, output: Tensor, task: Task) -> Tensor:
        return ((output.squeeze(-1) / self.margin + 1) / 2).clamp(0, 1)

    @staticmethod
    def compiled_predict(output: Any, *fields: Any) -> Any:
        return (output * (1 / fields[0]) + 1) / 2


class HalfMSESigned(Loss):
    """Half the square of the error, for two classes as -1 and +1: what TensorFlow Playground takes, with tanh
    in the output layer."""

    kind: Literal["half_mse_signed"] = "half_mse_signed"
    label: ClassVar[str] = "Half squared error of ±1"
    effect: ClassVar[str] = "effect.to_mse"
    formula: ClassVar[str] = r"L = \frac{1}{2n}\sum_i (f_i - y_i)^2,\quad y_i \in \{-1, 1\}"
    tasks: ClassVar[tuple[str, ...]] = ("binary",)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.squeeze(-1) - (2 * target.to(output.dtype) - 1)).square() / 2

    def predict(self, output: Tensor, task: Task) -> Tensor:
        return ((output.squeeze(-1) + 1) / 2).clamp(0, 1)

    @staticmethod
    def compiled(output: Any, target: Any, units: int) -> Any:
        error = output - (2 * target - 1)
        return 0.5 * error * error, error

    @staticmethod
    def compiled_predict(output: Any, *fields: Any) -> Any:
        return (output + 1) / 2


class Hinge(MarginLoss):
    """For two classes as -1 and +1: nothing to pay once a point is on its own side by the margin."""

    kind: Literal["hinge"] = "hinge"
    label: ClassVar[str] = "Hinge"
    keras: ClassVar[str] = "losses.Hinge()"
    effect: ClassVar[str] = "effect.to_hinge"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i \max(0,\; m - y_i f_i),\quad y_i \in \{-1, 1\}"

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.shortfall(output, target)

    @staticmethod
    def compiled(output: Any, target: Any, units: int, margin: float) -> Any:
        sign = 2 * target - 1
        short = margin - sign * output
        return np.maximum(short, 0), np.where(short > 0, -sign, 0)


class SquaredHinge(MarginLoss):
    """As hinge, but what a point lacks to the margin counts by its square: it is smooth, and outliers pull
    hard."""

    kind: Literal["squared_hinge"] = "squared_hinge"
    label: ClassVar[str] = "Squared hinge"
    keras: ClassVar[str] = "losses.SquaredHinge()"
    effect: ClassVar[str] = "effect.to_hinge"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i \max(0,\; m - y_i f_i)^2,\quad y_i \in \{-1, 1\}"

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return self.shortfall(output, target).square()

    @staticmethod
    def compiled(output: Any, target: Any, units: int, margin: float) -> Any:
        sign = 2 * target - 1
        short = np.maximum(margin - sign * output, 0)
        return short * short, -2 * sign * short


class MultiMargin(Loss):
    """Hinge for more than two classes: nothing to pay once the sum of the true class is above every other one
    by the margin."""

    kind: Literal["multi_margin"] = "multi_margin"
    label: ClassVar[str] = "Multi-class hinge"
    effect: ClassVar[str] = "effect.to_hinge"
    formula: ClassVar[str] = (
        r"L = \frac{1}{n}\sum_i \frac{1}{K}\sum_{k \ne y_i} \max(0,\; m - z_{i, y_i} + z_{ik})"
    )
    tasks: ClassVar[tuple[str, ...]] = ("multiclass",)
    against_true: ClassVar[bool] = True
    margin: float = MARGIN

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        chosen = target.long().expand(output.shape[:-1])[..., None]
        short = torch.relu(self.margin + output - output.gather(-1, chosen))
        return short.scatter(-1, chosen, 0).mean(dim=-1)

    @staticmethod
    def compiled(output: Any, target: Any, units: int, margin: float) -> Any:
        short = np.where(target > 0.5, 0, np.maximum(margin + output, 0))
        return short, np.sign(short)
