"""Losses: how wrong an output is. Every loss is a mean over the mini-batch."""

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component, Task

LABEL_SMOOTHING_HELP = (
    "Share of each target that is spread evenly over all classes, so that no network has to be quite sure"
)
LABEL_SMOOTHING = Field(
    default=0.0, title="Label smoothing ε", ge=0, le=0.9, description=LABEL_SMOOTHING_HELP
)
LABEL_SMOOTHING_ON = Field(
    default=0.1, title="Label smoothing ε", ge=0, le=0.9, description=LABEL_SMOOTHING_HELP
)
Relation: TypeAlias = Literal["same", "other", "either"]
"""How a partner of a point is drawn: of the same class, of another one, or of either by a coin."""
MARGIN = Field(default=1.0, title="Margin m", gt=0, le=100, description="By how much it has to be right")


class Loss(Component):
    """`output` is (R, batch, units); `target` (R, batch) holds class indices, or values for a regression: of
    several numbers (R, batch, units)."""

    tasks: ClassVar[tuple[str, ...]]
    """The kinds of task that it fits."""
    logits: ClassVar[bool] = False
    """It takes raw sums and squashes them itself, so the output layer has to stay linear."""

    against_true: ClassVar[bool] = False
    """For the compiled trainer: `compiled` gets how far a unit is above that of the true class, and the
    derivative for the latter is minus the sum of the others'."""
    compiled: ClassVar[Callable[..., Any]]
    """compiled(output, target, units, *fields) -> what one of the units adds to the loss, and the derivative
    by that output; the target of a class is 1 in its unit, 0 elsewhere. Losses are means over units, or sums
    with softmax. Without it, the reference trainer trains."""

    @staticmethod
    def compiled_predict(output: Any, *fields: Any) -> Any:
        """`predict` for one unit, as the compiled trainer takes it; for two classes it is cut to 0 to 1."""
        return output

    partners: ClassVar[tuple[Relation, ...]] = ()
    """What each point of a mini-batch is seen beside; most losses look at one point at a time."""

    @classmethod
    def fits(cls, task: Task) -> bool:
        return task.kind in cls.tasks

    def posed(self, task: Task) -> Task:
        """What there is to learn with it, from data that pose this task."""
        return task

    def units(self, task: Task) -> int:
        """Units of the output layer."""
        return task.classes if task.kind == "multiclass" else task.targets

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """The loss of every sample, (R, batch)."""
        raise NotImplementedError

    def predict(self, output: Tensor, task: Task) -> Tensor:
        """What the output says: the probability of class 1 (…,), a score for each class (…, K), or a
        value (…,), of several (…, targets)."""
        match task.answer:
            case "binary":
                return output.squeeze(-1).clamp(0, 1)
            case "multiclass":
                return output
            case "regression":
                return output.squeeze(-1)


class PointwiseLoss(Loss):
    """A loss on the difference to a target value; of several, the mean. A class is a target of 0 or 1, one
    unit a class."""

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        units = output.shape[-1]
        if target.dim() == output.dim():
            goal = target
        else:
            goal = target[..., None] if units == 1 else F.one_hot(target.long(), units)
        return self.pointwise(output, goal.to(output.dtype).expand_as(output)).mean(dim=-1)


class MSE(PointwiseLoss):
    """The square of the error: small errors hardly count, outliers count a lot."""

    kind: Literal["mse"] = "mse"
    label: ClassVar[str] = "Mean squared error"
    keras: ClassVar[str] = "losses.MeanSquaredError()"
    effect: ClassVar[str] = "effect.to_mse"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i (\hat{y}_i - y_i)^2"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass")

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target, reduction="none")

    @staticmethod
    def compiled(output: Any, target: Any, units: int) -> Any:
        error = output - target
        return error * error, 2 * error


class HalfMSE(PointwiseLoss):
    """Half the square of the error, so that its slope is the error itself: what TensorFlow Playground takes
    for a regression."""

    kind: Literal["half_mse"] = "half_mse"
    label: ClassVar[str] = "Half squared error"
    effect: ClassVar[str] = "effect.to_mse"
    formula: ClassVar[str] = r"L = \frac{1}{2n}\sum_i (\hat{y}_i - y_i)^2"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass")

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target, reduction="none") / 2

    @staticmethod
    def compiled(output: Any, target: Any, units: int) -> Any:
        error = output - target
        return 0.5 * error * error, error


class MAE(PointwiseLoss):
    """The size of the error: every unit of error counts the same, so outliers pull less."""

    kind: Literal["mae"] = "mae"
    label: ClassVar[str] = "Mean absolute error"
    keras: ClassVar[str] = "losses.MeanAbsoluteError()"
    effect: ClassVar[str] = "effect.to_mae"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i |\hat{y}_i - y_i|"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "binary", "multiclass")

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(output, target, reduction="none")

    @staticmethod
    def compiled(output: Any, target: Any, units: int) -> Any:
        error = output - target
        return np.abs(error), np.sign(error)


class Huber(PointwiseLoss):
    """Squared for small errors, straight for errors over delta: smooth, and calm about outliers."""

    kind: Literal["huber"] = "huber"
    label: ClassVar[str] = "Huber"
    keras: ClassVar[str] = "losses.Huber(delta={delta})"
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
    def compiled(output: Any, target: Any, units: int, delta: float) -> Any:
        error = output - target
        size = np.abs(error)
        loss = np.where(size < delta, 0.5 * error * error, delta * (size - 0.5 * delta))
        return loss, np.minimum(np.maximum(error, -delta), delta)


class LogCosh(PointwiseLoss):
    """Nearly squared for small errors and straight for large ones, as Huber, but with no seam between: the
    logarithm of the hyperbolic cosine of the error."""

    kind: Literal["log_cosh"] = "log_cosh"
    label: ClassVar[str] = "Log-cosh"
    keras: ClassVar[str] = "losses.LogCosh()"
    effect: ClassVar[str] = "effect.to_huber"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i \log\cosh(\hat{y}_i - y_i)"
    tasks: ClassVar[tuple[str, ...]] = ("regression",)

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        size = (output - target).abs()
        return size + F.softplus(-2 * size) - math.log(2)

    @staticmethod
    def compiled(output: Any, target: Any, units: int) -> Any:
        error = output - target
        size = np.abs(error)
        return size + np.log1p(np.exp(-2 * size)) - 0.6931471805599453, np.tanh(error)


class Quantile(PointwiseLoss):
    """The pinball loss (Koenker, Bassett, 1978): too low and too high cost differently, so the network learns
    a quantile of the values instead of their middle. A quantile of 0.9 is a line that 9 of 10 stay below."""

    kind: Literal["quantile"] = "quantile"
    label: ClassVar[str] = "Quantile"
    effect: ClassVar[str] = "effect.to_quantile"
    formula: ClassVar[str] = r"L = \frac{1}{n}\sum_i \max(q\,e_i,\; (q - 1)\,e_i),\quad e_i = y_i - \hat{y}_i"
    tasks: ClassVar[tuple[str, ...]] = ("regression",)
    quantile: float = Field(
        default=0.5,
        title="Quantile q",
        ge=0.01,
        le=0.99,
        description="Share of the values that are to lie below; 0.5 is the median",
    )

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        error = target - output
        return torch.maximum(self.quantile * error, (self.quantile - 1) * error)

    @staticmethod
    def compiled(output: Any, target: Any, units: int, quantile: float) -> Any:
        error = target - output
        loss = np.maximum(quantile * error, (quantile - 1) * error)
        return loss, 0.5 - quantile - 0.5 * np.sign(error)


class BCE(Loss):
    """Binary cross-entropy, for two classes: being sure and wrong costs most. Computed from the raw sum
    (the logit), which is stable however large it gets."""

    kind: Literal["bce"] = "bce"
    label: ClassVar[str] = "Binary cross-entropy"
    keras: ClassVar[str] = "losses.BinaryCrossentropy(from_logits=True, label_smoothing={label_smoothing})"
    effect: ClassVar[str] = "effect.to_cross_entropy"
    formula: ClassVar[str] = (
        r"L = -\frac{1}{n}\sum_i y_i \log p_i + (1 - y_i)\log(1 - p_i),\quad p = \sigma(z)"
    )
    tasks: ClassVar[tuple[str, ...]] = ("binary",)
    logits: ClassVar[bool] = True
    label_smoothing: float = LABEL_SMOOTHING

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        logit = output.squeeze(-1)
        soft = target.to(logit.dtype) * (1 - self.label_smoothing) + self.label_smoothing / 2
        return F.binary_cross_entropy_with_logits(logit, soft.expand_as(logit), reduction="none")

    def predict(self, output: Tensor, task: Task) -> Tensor:
        return output.squeeze(-1).sigmoid()

    @staticmethod
    def compiled(output: Any, target: Any, units: int, label_smoothing: float) -> Any:
        soft = target * (1 - label_smoothing) + label_smoothing / 2
        loss = np.maximum(output, 0) - output * soft + np.log1p(np.exp(-np.abs(output)))
        return loss, 1 / (1 + np.exp(-output)) - soft

    @staticmethod
    def compiled_predict(output: Any, *fields: Any) -> Any:
        return 1 / (1 + np.exp(-output))


class SoftmaxLoss(Loss):
    """One sum a class, which softmax makes probabilities of. `compiled` gets their logarithms, of each unit,
    and `temperature` as its first field."""

    tasks: ClassVar[tuple[str, ...]] = ("multiclass", "binary")
    logits: ClassVar[bool] = True
    temperature: float = Field(
        default=1.0,
        title="Temperature T",
        ge=0.05,
        le=100,
        description="Softmax takes the sums divided by it: high makes all classes equally likely, low lets"
        " the largest sum win all",
    )

    def units(self, task: Task) -> int:
        return task.classes

    def log_probabilities(self, output: Tensor) -> Tensor:
        return (output / self.temperature).log_softmax(dim=-1)

    def predict(self, output: Tensor, task: Task) -> Tensor:
        probabilities = (output / self.temperature).softmax(dim=-1)
        return probabilities[..., 1] if task.kind == "binary" else probabilities

    @staticmethod
    def compiled_predict(output: Any, *fields: Any) -> Any:
        return np.exp(output)


class CrossEntropy(SoftmaxLoss):
    """For any number of classes: the network gives one sum a class, softmax makes them probabilities,
    and the loss is the surprise at the true class."""

    kind: Literal["cross_entropy"] = "cross_entropy"
    label: ClassVar[str] = "Cross-entropy"
    keras: ClassVar[str] = "losses.SparseCategoricalCrossentropy(from_logits=True)"
    effect: ClassVar[str] = "effect.to_cross_entropy"
    formula: ClassVar[str] = r"L = -\frac{1}{n}\sum_i \log p_{i, y_i},\quad p = \mathrm{softmax}(z / T)"
    label_smoothing: float = LABEL_SMOOTHING

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        log_p = self.log_probabilities(output)
        chosen = target.long().expand(output.shape[:-1])[..., None]
        hard, even = -log_p.gather(-1, chosen)[..., 0], -log_p.mean(dim=-1)
        return (1 - self.label_smoothing) * hard + self.label_smoothing * even

    @staticmethod
    def compiled(output: Any, target: Any, units: int, temperature: float, label_smoothing: float) -> Any:
        soft = target * (1 - label_smoothing) + label_smoothing / units
        return -soft * output, (np.exp(output) - soft) * (1 / temperature)


class KLDivergence(SoftmaxLoss):
    """Kullback-Leibler divergence: how far the probabilities of the network are from soft targets, in which
    the true class has most and the others share a rest. It pulls as cross-entropy does, but is zero where
    they agree."""

    kind: Literal["kl_divergence"] = "kl_divergence"
    label: ClassVar[str] = "KL divergence"
    effect: ClassVar[str] = "effect.to_kl_divergence"
    formula: ClassVar[str] = (
        r"L = \frac{1}{n}\sum_i \sum_k t_{ik} \log\frac{t_{ik}}{p_{ik}},\quad p = \mathrm{softmax}(z / T),"
        r"\quad t_{ik} = (1 - \varepsilon)[k = y_i] + \frac{\varepsilon}{K}"
    )
    label_smoothing: float = LABEL_SMOOTHING_ON

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        units = output.shape[-1]
        goal = F.one_hot(target.long(), units).to(output.dtype).expand_as(output)
        soft = goal * (1 - self.label_smoothing) + self.label_smoothing / units
        return self.divergence(soft, self.log_probabilities(output))

    @staticmethod
    def divergence(target: Tensor, log_p: Tensor) -> Tensor:
        """From these probabilities to those of the logarithms, (…, classes) each."""
        return F.kl_div(log_p, target, reduction="none").sum(dim=-1)

    @staticmethod
    def compiled(output: Any, target: Any, units: int, temperature: float, label_smoothing: float) -> Any:
        soft = target * (1 - label_smoothing) + label_smoothing / units
        loss = soft * (np.log(np.maximum(soft, 1e-30)) - output)
        return loss, (np.exp(output) - soft) * (1 / temperature)


class Focal(PointwiseLoss):
    """Cross-entropy that looks away from what is easy: points that are right and sure count less and less, so
    the hard ones decide (Lin et al., 2017). More than two classes are each told from all the others."""

    kind: Literal["focal"] = "focal"
    label: ClassVar[str] = "Focal"
    keras: ClassVar[str] = (
        "losses.BinaryFocalCrossentropy(True, alpha={alpha}, gamma={gamma}, from_logits=True)"
    )
    effect: ClassVar[str] = "effect.to_focal"
    formula: ClassVar[str] = (
        r"L = -\frac{1}{n}\sum_i \alpha_t (1 - p_t)^\gamma \log p_t,\quad (p_t, \alpha_t) ="
        r" \begin{cases} (\sigma(z), \alpha) & y_i = 1 \\ (1 - \sigma(z), 1 - \alpha) & y_i = 0 \end{cases}"
    )
    tasks: ClassVar[tuple[str, ...]] = ("binary", "multiclass")
    logits: ClassVar[bool] = True
    gamma: float = Field(
        default=2.0,
        title="Focusing γ",
        ge=0,
        le=10,
        description="How far it looks away from easy points; at 0 all count alike",
    )
    alpha: float = Field(
        default=0.5,
        title="Balance α",
        ge=0,
        le=1,
        description="Weight of class 1, or of the own class against the others; the rest of 1 is theirs. The"
        " paper takes 0.25",
    )

    def pointwise(self, output: Tensor, target: Tensor) -> Tensor:
        toward = (2 * target - 1) * output
        weight = (1 - self.alpha) + (2 * self.alpha - 1) * target
        return weight * (self.gamma * F.logsigmoid(-toward)).exp() * F.softplus(-toward)

    def predict(self, output: Tensor, task: Task) -> Tensor:
        return output.squeeze(-1).sigmoid() if task.kind == "binary" else output.sigmoid()

    @staticmethod
    def compiled(output: Any, target: Any, units: int, gamma: float, alpha: float) -> Any:
        sign = 2 * target - 1
        toward = sign * output
        rest = np.log1p(np.exp(-np.abs(toward)))
        surprise, miss = np.maximum(-toward, 0) + rest, 1 / (1 + np.exp(toward))
        weight = ((1 - alpha) + (2 * alpha - 1) * target) * np.exp(-gamma * (np.maximum(toward, 0) + rest))
        return weight * surprise, -sign * weight * (gamma * (1 - miss) * surprise + miss)

    @staticmethod
    def compiled_predict(output: Any, *fields: Any) -> Any:
        return 1 / (1 + np.exp(-output))
