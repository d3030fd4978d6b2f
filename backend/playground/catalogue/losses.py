"""Losses: how wrong an output is. Every loss is a mean over the mini-batch."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component, Task


class Loss(Component):
    """`output` is (R, batch, units); `target` (R, batch) holds class indices, or values for a regression."""

    tasks: ClassVar[tuple[str, ...]]
    """The kinds of task that it fits."""
    logits: ClassVar[bool] = False
    """It takes raw sums and squashes them itself, so the output layer has to stay linear."""

    softmax: ClassVar[bool] = False
    """For the compiled trainer: `compiled` gets logarithms of probabilities over all units, not the sums."""
    compiled: ClassVar[Callable[..., Any]]
    """compiled(output, target, *fields) -> what one unit adds to the loss, and the derivative by that
    output; the target of a class is 1 in its unit, 0 elsewhere. Losses are means over units, or sums with
    softmax. Without it, the reference trainer trains."""

    @staticmethod
    def compiled_predict(output: Any) -> Any:
        """`predict` for one unit, as the compiled trainer takes it; for two classes it is cut to 0 to 1."""
        return output

    def units(self, task: Task) -> int:
        """Units of the output layer."""
        return task.classes if task.kind == "multiclass" else 1

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of every sample, (R, batch)."""
        raise NotImplementedError

    def predict(self, output: Tensor, task: Task) -> Tensor:
        """What the output says: the probability of class 1 (…,), a score for each class (…, K), or a
        value (…,)."""
        match task.kind:
            case "binary":
                return output.squeeze(-1).clamp(0, 1)
            case "multiclass":
                return output
            case "regression":
                return output.squeeze(-1)


class PointwiseLoss(Loss):
    """A loss on the difference to a target value. A class is a target of 0 or 1, one unit a class."""

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        units = output.shape[-1]
        goal = target[..., None] if units == 1 else F.one_hot(target.long(), units)
        return self.pointwise(output, goal.to(output.dtype).expand_as(output)).mean(dim=-1)


class MSE(PointwiseLoss):
    """The square of the error: small errors hardly count, outliers count a lot."""

    kind: Literal["mse"] = "mse"
    label: ClassVar[str] = "Mean squared error"
    effect: ClassVar[str] = "effect.to_mse"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i (\hat{y}_i - y_i)^2"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass")

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target, reduction="none")

    @staticmethod
    def compiled(output: Any, target: Any) -> Any:
        error = output - target
        return error * error, 2 * error


class MAE(PointwiseLoss):
    """The size of the error: every unit of error counts the same, so outliers pull less."""

    kind: Literal["mae"] = "mae"
    label: ClassVar[str] = "Mean absolute error"
    effect: ClassVar[str] = "effect.to_mae"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i |\hat{y}_i - y_i|"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass")

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(output, target, reduction="none")

    @staticmethod
    def compiled(output: Any, target: Any) -> Any:
        error = output - target
        return np.abs(error), np.sign(error)


class Huber(PointwiseLoss):
    """Squared for small errors, straight for errors over delta: smooth, and calm about outliers."""

    kind: Literal["huber"] = "huber"
    label: ClassVar[str] = "Huber"
    effect: ClassVar[str] = "effect.to_huber"
    formula: ClassVar[str] = (
        r"L = \frac{1}{n}\sum_i \begin{cases} \frac{1}{2} e_i^2 & |e_i| \le \delta \\"
        r" \delta(|e_i| - \frac{\delta}{2}) & |e_i| > \delta \end{cases},\quad e_i = \hat{y}_i - y_i"
    )
    tasks: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass")
    delta: float = Field(
        default=1.0, title="Delta δ", gt=0, le=100, description="Error above which it is straight"
    )

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(output, target, reduction="none", delta=self.delta)

    @staticmethod
    def compiled(output: Any, target: Any, delta: float) -> Any:
        error = output - target
        size = np.abs(error)
        loss = np.where(size < delta, 0.5 * error * error, delta * (size - 0.5 * delta))
        return loss, np.minimum(np.maximum(error, -delta), delta)


class BCE(Loss):
    """Binary cross-entropy, for two classes: being sure and wrong costs most. Computed from the raw sum
    (the logit), which is stable however large it gets."""

    kind: Literal["bce"] = "bce"
    label: ClassVar[str] = "Binary cross-entropy"
    effect: ClassVar[str] = "effect.to_cross_entropy"
    formula: ClassVar[str] = (
        r"L = -\frac{1}{n}\sum_i y_i \log p_i + (1 - y_i)\log(1 - p_i),\quad p = \sigma(z)"
    )
    tasks: ClassVar[tuple[str, ...]] = ("binary",)
    logits: ClassVar[bool] = True

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        logit = output.squeeze(-1)
        return F.binary_cross_entropy_with_logits(
            logit, target.to(logit.dtype).expand_as(logit), reduction="none"
        )

    def predict(self, output: Tensor, task: Task) -> Tensor:
        return output.squeeze(-1).sigmoid()

    @staticmethod
    def compiled(output: Any, target: Any) -> Any:
        loss = np.maximum(output, 0) - output * target + np.log1p(np.exp(-np.abs(output)))
        return loss, 1 / (1 + np.exp(-output)) - target

    @staticmethod
    def compiled_predict(output: Any) -> Any:
        return 1 / (1 + np.exp(-output))


class CrossEntropy(Loss):
    """For any number of classes: the network gives one sum a class, softmax makes them probabilities,
    and the loss is the surprise at the true class."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    label: ClassVar[str] = "Cross-entropy"
    effect: ClassVar[str] = "effect.to_cross_entropy"
    formula: ClassVar[str] = r"L = -\frac{1}{n}\sum_i \log p_{i, y_i},\quad p = \mathrm{softmax}(z)"
    tasks: ClassVar[tuple[str, ...]] = ("multiclass", "binary")
    logits: ClassVar[bool] = True
    softmax: ClassVar[bool] = True

    def units(self, task: Task) -> int:
        return task.classes

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        chosen = target.long().expand(output.shape[:-1])[..., None]
        return -output.log_softmax(dim=-1).gather(-1, chosen)[..., 0]

    def predict(self, output: Tensor, task: Task) -> Tensor:
        probabilities = output.softmax(dim=-1)
        return probabilities[..., 1] if task.kind == "binary" else probabilities

    @staticmethod
    def compiled(output: Any, target: Any) -> Any:
        return -target * output, np.exp(output) - target

    @staticmethod
    def compiled_predict(output: Any) -> Any:
        return np.exp(output)


class Hinge(Loss):
    """For two classes as -1 and +1: nothing to pay once a point is on its own side by a margin of 1."""

    kind: Literal["hinge"] = "hinge"
    label: ClassVar[str] = "Hinge"
    effect: ClassVar[str] = "effect.to_hinge"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i \max(0,\; 1 - y_i f_i),\quad y_i \in \{-1, 1\}"
    tasks: ClassVar[tuple[str, ...]] = ("binary",)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        sign = 2 * target.to(output.dtype) - 1
        return torch.relu(1 - sign * output.squeeze(-1))

    def predict(self, output: Tensor, task: Task) -> Tensor:
        return ((output.squeeze(-1) + 1) / 2).clamp(0, 1)

    @staticmethod
    def compiled(output: Any, target: Any) -> Any:
        sign = 2 * target - 1
        short = 1 - sign * output
        return np.maximum(short, 0), np.where(short > 0, -sign, 0)

    @staticmethod
    def compiled_predict(output: Any) -> Any:
        return (output + 1) / 2
