"""Optimizers: how a gradient becomes a step of the weights. Each agrees with `torch.optim` or its paper.

Those of Adam's family are in `adam`.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component
from playground.catalogue.slots import (
    FIRST_MOMENT,
    LAST_GRADIENT,
    SECOND_MOMENT,
    SQUARED_STEPS,
    STEP_SIZE,
    SUM_OF_SQUARES,
    VELOCITY,
    Slot,
)

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
WeightDecay = Annotated[
    float,
    Field(
        ge=0,
        le=10,
        title="Weight decay",
        description="How fast every weight shrinks towards zero, biases too",
        json_schema_extra={"scale": "log"},
    ),
]
DecoupledWeightDecay = Annotated[
    bool,
    Field(
        title="Decoupled weight decay",
        description="On: weights shrink apart from the gradient, by the learning rate times the weight decay."
        " Off: the weight decay times the weight is added to the gradient, after clipping",
    ),
]
Slots = tuple[Tensor, ...]
Rate = float | Tensor


class Optimizer(Component):
    """`slots` are the tensors of state that it keeps, each of the shape of the weights, zero at first.

    `lr` is where the learning rate starts from; the rate of a step is an input of `update`. Whoever calls
    `update` also lets the weights decay, for all optimizers alike.
    """

    slots: ClassVar[tuple[Slot, ...]] = ()
    lr: LearningRate = 0.03
    weight_decay: WeightDecay = 0.0
    decoupled_weight_decay: DecoupledWeightDecay = False

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        """The change of the weights (R, P), and the new slots. `t` counts the updates of each, from 1; `lr`
        is a number or (R, 1)."""
        raise NotImplementedError

    compiled: ClassVar[Callable[..., Any]]
    """compiled(weight, grad, slots, correction, lr, *fields) -> the change of the weight, the new slots: for
    the compiled trainer; `fields` are those of the subclass. Without it, the reference trainer trains."""

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        """What `compiled` needs of the count of updates alone (a bias correction), a tuple. It is
        usually the same for the next weight, and then used again."""
        return ()


class SGD(Optimizer):
    """Walks straight down the gradient of the mini-batch. The plainest rule there is."""

    kind: Literal["sgd"] = "sgd"
    label: ClassVar[str] = "SGD"
    keras: ClassVar[str] = "optimizers.SGD({lr})"
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
    keras: ClassVar[str] = "optimizers.SGD({lr}, momentum={beta})"
    effect: ClassVar[str] = "effect.to_momentum"
    formula: ClassVar[str] = r"v \leftarrow \beta v + g,\quad w \leftarrow w - \eta v"
    slots: ClassVar[tuple[Slot, ...]] = (VELOCITY,)
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
    keras: ClassVar[str] = "optimizers.SGD({lr}, momentum={beta}, nesterov=True)"
    effect: ClassVar[str] = "effect.to_momentum"
    formula: ClassVar[str] = r"v \leftarrow \beta v + g,\quad w \leftarrow w - \eta (g + \beta v)"
    slots: ClassVar[tuple[Slot, ...]] = (VELOCITY,)
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
    keras: ClassVar[str] = "optimizers.Adagrad({lr}, initial_accumulator_value=0, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adagrad"
    formula: ClassVar[str] = r"s \leftarrow s + g^2,\quad w \leftarrow w - \eta\, g / (\sqrt{s} + \epsilon)"
    slots: ClassVar[tuple[Slot, ...]] = (SUM_OF_SQUARES,)
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
    keras: ClassVar[str] = "optimizers.RMSprop({lr}, rho={alpha}, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"s \leftarrow \alpha s + (1-\alpha) g^2,\quad w \leftarrow w - \eta\, g / (\sqrt{s} + \epsilon)"
    )
    slots: ClassVar[tuple[Slot, ...]] = (SECOND_MOMENT.as_("s"),)
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


class Adadelta(Optimizer):
    """Divides by the root of the recent squared gradients and multiplies by that of the recent squared steps:
    so there is no rate to find, 1 will do (Zeiler, 2012)."""

    kind: Literal["adadelta"] = "adadelta"
    label: ClassVar[str] = "Adadelta"
    keras: ClassVar[str] = "optimizers.Adadelta({lr}, rho={rho}, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"s \leftarrow \rho s + (1-\rho) g^2,\quad \Delta = g \sqrt{d + \epsilon} / \sqrt{s + \epsilon},\quad"
        r" d \leftarrow \rho d + (1-\rho) \Delta^2,\quad w \leftarrow w - \eta \Delta"
    )
    slots: ClassVar[tuple[Slot, ...]] = (SECOND_MOMENT.as_("s"), SQUARED_STEPS)
    lr: LearningRate = 1.0
    rho: float = Field(
        default=0.9,
        ge=0,
        lt=1,
        title="Memory ρ",
        description="How slowly old gradients and steps are forgotten",
    )
    eps: float = Field(
        default=1e-6, gt=0, le=1, title="Epsilon ε", description="Makes the first steps, and keeps all finite"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        square = (slots[0] * self.rho).addcmul(grad, grad, value=1 - self.rho)
        step = (slots[1] + self.eps).sqrt() / (square + self.eps).sqrt() * grad
        steps = (slots[1] * self.rho).addcmul(step, step, value=1 - self.rho)
        return step * -lr, (square, steps)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, rho: float, eps: float
    ) -> Any:
        square = rho * slots[0] + (1 - rho) * grad * grad
        step = np.sqrt(slots[1] + eps) / np.sqrt(square + eps) * grad
        return -lr * step, (square, rho * slots[1] + (1 - rho) * step * step)


class Lion(Optimizer):
    """Steps of one length for every weight: it takes only the sign of the momentum (Chen et al., 2023). It
    wants a learning rate three to ten times smaller than Adam."""

    kind: Literal["lion"] = "lion"
    label: ClassVar[str] = "Lion"
    keras: ClassVar[str] = "optimizers.Lion({lr}, beta_1={beta1}, beta_2={beta2})"
    effect: ClassVar[str] = "effect.to_sign"
    formula: ClassVar[str] = (
        r"w \leftarrow w - \eta\, (\operatorname{sign}(\beta_1 m + (1-\beta_1) g) + \lambda w),\quad"
        r" m \leftarrow \beta_2 m + (1-\beta_2) g"
    )
    slots: ClassVar[tuple[Slot, ...]] = (FIRST_MOMENT,)
    lr: LearningRate = 0.0003
    decoupled_weight_decay: DecoupledWeightDecay = True
    beta1: float = Field(
        default=0.9, ge=0, lt=1, title="Momentum β₁", description="How much of the momentum counts in a step"
    )
    beta2: float = Field(
        default=0.99, ge=0, lt=1, title="Memory β₂", description="How much of the old momentum stays"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        sign = slots[0].lerp(grad, 1 - self.beta1).sign()
        return sign * -lr, (slots[0].lerp(grad, 1 - self.beta2),)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float
    ) -> Any:
        ahead = grad - slots[0]
        sign = np.sign(slots[0] + (1 - beta1) * ahead)
        return -lr * sign, (slots[0] + (1 - beta2) * ahead,)


class Rprop(Optimizer):
    """Looks only at the sign of the gradient: a weight's step grows while the sign stays, and shrinks when it
    turns (Riedmiller, Braun, 1993). Made for full batches; the learning rate is only the first step."""

    kind: Literal["rprop"] = "rprop"
    label: ClassVar[str] = "Rprop"
    effect: ClassVar[str] = "effect.to_sign"
    formula: ClassVar[str] = (
        r"\Delta \leftarrow \begin{cases} \eta^+ \Delta & g\, g_{\text{old}} > 0 \\"
        r" \eta^- \Delta & g\, g_{\text{old}} < 0 \end{cases},\quad"
        r" w \leftarrow w - \Delta \operatorname{sign}(g) \text{ unless } g\, g_{\text{old}} < 0"
    )
    slots: ClassVar[tuple[Slot, ...]] = (LAST_GRADIENT, STEP_SIZE)
    lr: LearningRate = 0.01
    eta_minus: float = Field(
        default=0.5, gt=0, lt=1, title="Shrinking η⁻", description="What a step is multiplied by at a turn"
    )
    eta_plus: float = Field(
        default=1.2, gt=1, le=10, title="Growing η⁺", description="What a step is multiplied by otherwise"
    )
    step_min: float = Field(default=1e-6, gt=0, le=1, title="Least step", description="No step gets shorter")
    step_max: float = Field(
        default=50.0, gt=0, le=100, title="Largest step", description="No step gets longer"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        old, size = slots
        agreement = grad * old
        factor = torch.where(agreement > 0, self.eta_plus, torch.where(agreement < 0, self.eta_minus, 1.0))
        size = (torch.where(t == 1, lr, size) * factor).clamp(self.step_min, self.step_max)
        kept = torch.where(agreement < 0, 0.0, grad)
        return -size * kept.sign(), (kept, size)

    @staticmethod
    def compiled(
        weight: Any,
        grad: Any,
        slots: Any,
        correction: Any,
        lr: float,
        eta_minus: float,
        eta_plus: float,
        step_min: float,
        step_max: float,
    ) -> Any:
        agreement = grad * slots[0]
        factor = np.where(agreement > 0.0, eta_plus, np.where(agreement < 0.0, eta_minus, 1.0))
        size = np.where(correction[0] < 1.5, lr, slots[1]) * factor
        size = np.minimum(np.maximum(size, step_min), step_max)
        kept = np.where(agreement < 0.0, 0.0, grad)
        return -size * np.sign(kept), (kept, size)

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        return (t,)
