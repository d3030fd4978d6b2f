"""Optimizers: how a gradient becomes a step of the weights. Each agrees with `torch.optim`."""

import math
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component, compilable

LearningRate = Annotated[
    float,
    Field(
        gt=0,
        le=100,
        title="Learning rate",
        description="Size of a step. Too small, and learning crawls; too large, and it jumps over the valley"
        " and may blow up. Try steps of three: 0.01, 0.03, 0.1",
        json_schema_extra={"scale": "log", "first": 1},
    ),
]
Slots = tuple[Tensor, ...]
Rate = float | Tensor


class Optimizer(Component):
    """`slots` counts the tensors of state that it keeps, each of the shape of the weights, zero at first.

    `lr` is where the learning rate starts from; the rate of a step is an input of `update`.
    """

    slots: ClassVar[int] = 0
    lr: LearningRate = 0.03

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        """The change of the weights (R, P), and the new slots. `t` counts the updates of each, from 1; `lr`
        is a number or (R, 1)."""
        raise NotImplementedError

    compiled: ClassVar[Callable[..., Any]]
    """compiled(weight, grad, slots, correction, lr, *fields) -> the change of the weight, the new slots: for
    the compiled trainer; `fields` are the parameters but `lr`. Without it, the reference trainer trains."""

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        """What `compiled` needs of the count of updates alone (a bias correction), a tuple. It is
        usually the same for the next weight, and then used again."""
        return ()


class SGD(Optimizer):
    """Walks straight down the gradient of the mini-batch. The plainest rule there is."""

    kind: Literal["sgd"] = "sgd"
    label: ClassVar[str] = "SGD"
    effect: ClassVar[str] = "effect.to_sgd"
    formula: ClassVar[str] = r"w \leftarrow w - \eta g"

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        return grad * -lr, ()

    @staticmethod
    def compiled(weight: Any, grad: Any, slots: Any, correction: Any, lr: float) -> Any:
        return -lr * grad, ()


class Momentum(Optimizer):
    """Remembers past gradients and keeps rolling: faster along a valley, calmer across it."""

    kind: Literal["momentum"] = "momentum"
    label: ClassVar[str] = "Momentum"
    effect: ClassVar[str] = "effect.to_momentum"
    formula: ClassVar[str] = r"v \leftarrow \beta v + g,\quad w \leftarrow w - \eta v"
    slots: ClassVar[int] = 1
    beta: float = Field(
        default=0.9, ge=0, lt=1, title="Momentum β", description="How much of the old velocity stays"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        velocity = grad.add(slots[0], alpha=self.beta)
        return velocity * -lr, (velocity,)

    @staticmethod
    def compiled(weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta: float) -> Any:
        velocity = beta * slots[0] + grad
        return -lr * velocity, (velocity,)


class Nesterov(Optimizer):
    """Momentum that looks ahead: it adds the velocity once more before it steps."""

    kind: Literal["nesterov"] = "nesterov"
    label: ClassVar[str] = "Nesterov momentum"
    effect: ClassVar[str] = "effect.to_momentum"
    formula: ClassVar[str] = r"v \leftarrow \beta v + g,\quad w \leftarrow w - \eta (g + \beta v)"
    slots: ClassVar[int] = 1
    beta: float = Field(
        default=0.9, ge=0, lt=1, title="Momentum β", description="How much of the old velocity stays"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        velocity = grad.add(slots[0], alpha=self.beta)
        return grad.add(velocity, alpha=self.beta) * -lr, (velocity,)

    @staticmethod
    def compiled(weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta: float) -> Any:
        velocity = beta * slots[0] + grad
        return -lr * (grad + beta * velocity), (velocity,)


class AdaGrad(Optimizer):
    """Divides each step by the root of all squared gradients so far. The rate dies down for good (Duchi
    et al., 2011)."""

    kind: Literal["adagrad"] = "adagrad"
    label: ClassVar[str] = "AdaGrad"
    effect: ClassVar[str] = "effect.to_adagrad"
    formula: ClassVar[str] = r"s \leftarrow s + g^2,\quad w \leftarrow w - \eta\, g / (\sqrt{s} + \epsilon)"
    slots: ClassVar[int] = 1
    eps: float = Field(default=1e-10, gt=0, le=1, title="Epsilon ε", description="Keeps the division finite")

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        total = slots[0].addcmul(grad, grad)
        return grad / (total.sqrt() + self.eps) * -lr, (total,)

    @staticmethod
    def compiled(weight: Any, grad: Any, slots: Any, correction: Any, lr: float, eps: float) -> Any:
        total = slots[0] + grad * grad
        return -lr * grad / (np.sqrt(total) + eps), (total,)


class RMSProp(Optimizer):
    """Divides each step by the root of the recent squared gradients, so that the rate does not die
    (Tieleman, Hinton, 2012)."""

    kind: Literal["rmsprop"] = "rmsprop"
    label: ClassVar[str] = "RMSProp"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"s \leftarrow \alpha s + (1-\alpha) g^2,\quad w \leftarrow w - \eta\, g / (\sqrt{s} + \epsilon)"
    )
    slots: ClassVar[int] = 1
    alpha: float = Field(
        default=0.99, ge=0, lt=1, title="Memory α", description="How slowly old gradients are forgotten"
    )
    eps: float = Field(default=1e-8, gt=0, le=1, title="Epsilon ε", description="Keeps the division finite")

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        mean = (slots[0] * self.alpha).addcmul(grad, grad, value=1 - self.alpha)
        return grad / (mean.sqrt() + self.eps) * -lr, (mean,)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, alpha: float, eps: float
    ) -> Any:
        mean = alpha * slots[0] + (1 - alpha) * grad * grad
        return -lr * grad / (np.sqrt(mean) + eps), (mean,)


class Adam(Optimizer):
    """Momentum and a rate of its own for each weight, both corrected for their start at zero (Kingma, Ba,
    2015). A good default."""

    kind: Literal["adam"] = "adam"
    label: ClassVar[str] = "Adam"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1-\beta_1) g,\quad v \leftarrow \beta_2 v + (1-\beta_2) g^2,\quad"
        r" w \leftarrow w - \eta\, \frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}"
    )
    slots: ClassVar[int] = 2
    # The paper's own: at the default speed one can watch the network learn.
    lr: LearningRate = 0.001
    beta1: float = Field(
        default=0.9, ge=0, lt=1, title="Momentum β₁", description="How much of the old mean gradient stays"
    )
    beta2: float = Field(
        default=0.999, ge=0, lt=1, title="Memory β₂", description="How much of the old squared gradient stays"
    )
    eps: float = Field(default=1e-8, gt=0, le=1, title="Epsilon ε", description="Keeps the division finite")

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        mean = slots[0].lerp(grad, 1 - self.beta1)
        square = (slots[1] * self.beta2).addcmul(grad, grad, value=1 - self.beta2)
        scale = (square / _filled(self.beta2, t)).sqrt() + self.eps
        return mean / _filled(self.beta1, t) / scale * -lr, (mean, square)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float, eps: float
    ) -> Any:
        return _adam(grad, slots, correction, lr, beta1, beta2, eps)

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        return _adam_correction(t, fields[0], fields[1])


def _filled(beta: float, t: Tensor) -> Tensor | float:
    """1 - beta^t, the share of a running mean that is filled after t updates; exact where it is small."""
    return -torch.expm1(t * math.log(beta)) if beta else 1.0


@compilable
def _adam(grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float, eps: float) -> Any:
    mean = slots[0] + (1 - beta1) * (grad - slots[0])
    square = beta2 * slots[1] + (1 - beta2) * grad * grad
    return -lr * mean / (correction[0] * (np.sqrt(square / correction[1]) + eps)), (mean, square)


@compilable
def _adam_correction(t: Any, beta1: float, beta2: float) -> Any:
    return -np.expm1(t * np.log(beta1)), -np.expm1(t * np.log(beta2))


class AdamW(Adam):
    """Adam whose weights also shrink a little at every step, apart from the gradient (Loshchilov, Hutter,
    2019)."""

    kind: Literal["adamw"] = "adamw"
    label: ClassVar[str] = "AdamW"
    effect: ClassVar[str] = "effect.to_adamw"
    formula: ClassVar[str] = (
        r"w \leftarrow w - \eta \lambda w - \eta\, \frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}"
    )
    weight_decay: float = Field(
        default=0.01, ge=0, le=10, title="Weight decay", description="How fast the weights shrink"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        delta, slots = super().update(weight, grad, slots, t, lr)
        return delta - weight * (lr * self.weight_decay), slots

    @staticmethod
    def compiled(  # pyright: ignore[reportIncompatibleMethodOverride]
        weight: Any,
        grad: Any,
        slots: Any,
        correction: Any,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
    ) -> Any:
        delta, slots = _adam(grad, slots, correction, lr, beta1, beta2, eps)
        return delta - lr * weight_decay * weight, slots
