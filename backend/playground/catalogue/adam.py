"""Adam and the optimizers made from it. Each agrees with `torch.optim`."""

import math
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import compilable
from playground.catalogue.optimizers import (
    DecoupledWeightDecay,
    LearningRate,
    Optimizer,
    Rate,
    Slots,
    WeightDecay,
)
from playground.catalogue.slots import (
    FILLED,
    FIRST_MOMENT,
    LARGEST_GRADIENT,
    LARGEST_SECOND_MOMENT,
    SECOND_MOMENT,
    Slot,
)


class Adam(Optimizer):
    """Momentum and a rate of its own for each weight, both corrected for their start at zero (Kingma, Ba,
    2015). A good default."""

    kind: Literal["adam"] = "adam"
    label: ClassVar[str] = "Adam"
    keras: ClassVar[str] = "optimizers.Adam({lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1-\beta_1) g,\quad v \leftarrow \beta_2 v + (1-\beta_2) g^2,\quad"
        r" w \leftarrow w - \eta\, \frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}"
    )
    slots: ClassVar[tuple[Slot, ...]] = (FIRST_MOMENT, SECOND_MOMENT)
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
        mean, square = self._moments(grad, slots)
        scale = (square / _filled(self.beta2, t)).sqrt() + self.eps
        return mean / _filled(self.beta1, t) / scale * -lr, (mean, square)

    def _moments(self, grad: Tensor, slots: Slots) -> tuple[Tensor, Tensor]:
        """The running means of the gradient and of its square."""
        mean = slots[0].lerp(grad, 1 - self.beta1)
        return mean, (slots[1] * self.beta2).addcmul(grad, grad, value=1 - self.beta2)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float, eps: float
    ) -> Any:
        mean, square = _moments(grad, slots, beta1, beta2)
        return -lr * mean / (correction[0] * (np.sqrt(square / correction[1]) + eps)), (mean, square)

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        return -np.expm1(t * np.log(fields[0])), -np.expm1(t * np.log(fields[1]))


def _filled(beta: float, t: Tensor) -> Tensor | float:
    """1 - beta^t, the share of a running mean that is filled after t updates; exact where it is small."""
    return -torch.expm1(t * math.log(beta)) if beta else 1.0


@compilable
def _moments(grad: Any, slots: Any, beta1: float, beta2: float) -> Any:
    mean = slots[0] + (1 - beta1) * (grad - slots[0])
    return mean, beta2 * slots[1] + (1 - beta2) * grad * grad


class AdamW(Adam):
    """Adam whose weights also shrink a little at every step, apart from the gradient (Loshchilov, Hutter,
    2019)."""

    kind: Literal["adamw"] = "adamw"
    label: ClassVar[str] = "AdamW"
    keras: ClassVar[str] = "optimizers.Adam({lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adamw"
    formula: ClassVar[str] = (
        r"w \leftarrow w - \eta \lambda w - \eta\, \frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)} + \epsilon}"
    )
    weight_decay: WeightDecay = 0.01
    decoupled_weight_decay: DecoupledWeightDecay = True


class AMSGrad(Adam):
    """Adam that divides by the largest mean of squared gradients so far, so that the rate of a weight never
    grows again (Reddi, Kale, Kumar, 2018)."""

    kind: Literal["amsgrad"] = "amsgrad"
    label: ClassVar[str] = "AMSGrad"
    keras: ClassVar[str] = (
        "optimizers.Adam({lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps}, amsgrad=True)"
    )
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"\hat v \leftarrow \max(\hat v, v),\quad"
        r" w \leftarrow w - \eta\, \frac{m/(1-\beta_1^t)}{\sqrt{\hat v/(1-\beta_2^t)} + \epsilon}"
    )
    slots: ClassVar[tuple[Slot, ...]] = (FIRST_MOMENT, SECOND_MOMENT, LARGEST_SECOND_MOMENT)

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        mean, square = self._moments(grad, slots)
        largest = torch.maximum(slots[2], square)
        scale = (largest / _filled(self.beta2, t)).sqrt() + self.eps
        return mean / _filled(self.beta1, t) / scale * -lr, (mean, square, largest)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float, eps: float
    ) -> Any:
        mean, square = _moments(grad, slots, beta1, beta2)
        largest = np.maximum(slots[2], square)
        scale = correction[0] * (np.sqrt(largest / correction[1]) + eps)
        return -lr * mean / scale, (mean, square, largest)


class NAdam(Adam):
    """Adam with Nesterov's look ahead, and a momentum that grows at first (Dozat, 2016)."""

    kind: Literal["nadam"] = "nadam"
    label: ClassVar[str] = "NAdam"
    keras: ClassVar[str] = "optimizers.Nadam({lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"\mu_t = \beta_1 (1 - \tfrac12 0.96^{t\psi}),\quad w \leftarrow w - \eta\,"
        r" \frac{\mu_{t+1} m / (1 - \prod_{i=1}^{t+1} \mu_i) + (1-\mu_t) g / (1 - \prod_{i=1}^{t} \mu_i)}"
        r"{\sqrt{v/(1-\beta_2^t)} + \epsilon}"
    )
    # The third is 1 - the product of mu, which is zero at first as slots are.
    slots: ClassVar[tuple[Slot, ...]] = (FIRST_MOMENT, SECOND_MOMENT, FILLED)
    lr: LearningRate = 0.002
    momentum_decay: float = Field(
        default=0.004, ge=0, le=1, title="Momentum decay ψ", description="How fast the momentum grows to β₁"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        now, following = self._momentum(t), self._momentum(t + 1)
        mean, square = self._moments(grad, slots)
        filled = slots[2] * now + (1 - now)
        ahead = mean * following / (1 - (1 - filled) * following) + grad * (1 - now) / filled
        scale = (square / _filled(self.beta2, t)).sqrt() + self.eps
        return ahead / scale * -lr, (mean, square, filled)

    def _momentum(self, t: Tensor) -> Tensor:
        return self.beta1 * (1 - 0.5 * torch.exp(t * (self.momentum_decay * math.log(0.96))))

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
        momentum_decay: float,
    ) -> Any:
        now, following, corrected = correction
        mean, square = _moments(grad, slots, beta1, beta2)
        filled = slots[2] * now + (1 - now)
        ahead = mean * following / (1 - (1 - filled) * following) + grad * (1 - now) / filled
        return -lr * ahead / (np.sqrt(square / corrected) + eps), (mean, square, filled)

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        decay = fields[3] * np.log(0.96)
        now = fields[0] * (1 - 0.5 * np.exp(t * decay))
        following = fields[0] * (1 - 0.5 * np.exp((t + 1) * decay))
        return now, following, -np.expm1(t * np.log(fields[1]))


class RAdam(Adam):
    """Adam that waits with the rates of its own for each weight until it has seen enough gradients to trust
    them, and grows into them (Liu et al., 2020)."""

    kind: Literal["radam"] = "radam"
    label: ClassVar[str] = "RAdam"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"\rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1-\beta_2^t},\quad"
        r" r_t = \sqrt{\frac{(\rho_t-4)(\rho_t-2)\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\rho_t}},\quad"
        r" w \leftarrow w - \eta\, \frac{m}{1-\beta_1^t} \cdot"
        r" \begin{cases} r_t \sqrt{1-\beta_2^t} / (\sqrt{v} + \epsilon) & \rho_t > 5 \\"
        r" 1 & \text{else} \end{cases}"
    )

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        mean, square = self._moments(grad, slots)
        filled = _filled(self.beta2, t.double())
        limit = 2 / (1 - self.beta2) - 1
        rho = limit - 2 * t * (1 - filled) / filled
        rectified = (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho + (rho <= 5))
        own = (rectified * filled).sqrt() / (square.sqrt() + self.eps)
        factor = torch.where(rho > 5, own, 1.0).to(mean)
        return mean / _filled(self.beta1, t) * factor * -lr, (mean, square)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float, eps: float
    ) -> Any:
        mean, square = _moments(grad, slots, beta1, beta2)
        started, rectified, corrected = correction
        factor = np.where(started > 0.0, rectified / (np.sqrt(square) + eps), 1.0)
        return -lr * mean * factor / corrected, (mean, square)

    @staticmethod
    def compiled_correction(t: Any, *fields: float) -> Any:
        beta1, beta2 = fields[0], fields[1]
        # rho is a small difference of large numbers: for small x, 1/x - 1/(e^x - 1) is a series.
        log = np.log(beta2)
        x = t * -log
        series = 0.5 - x / 12 + x * x * x / 720 - x * x * x * x * x / 30240
        limit = 2 / (1 - beta2) - 1
        rho = limit + 2 / log + 2 * t * np.where(x < 1.0, series, 1 / x - 1 / np.expm1(x))
        share = (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)
        rectified = np.sqrt(np.maximum(share * -np.expm1(-x), 0.0))
        return np.where(rho > 5.0, 1.0, 0.0), rectified, -np.expm1(t * np.log(beta1))


class Adamax(Adam):
    """Adam that divides by the largest recent gradient of each weight, not by the root of a mean of squares
    (Kingma, Ba, 2015)."""

    kind: Literal["adamax"] = "adamax"
    label: ClassVar[str] = "Adamax"
    keras: ClassVar[str] = "optimizers.Adamax({lr}, beta_1={beta1}, beta_2={beta2}, epsilon={eps})"
    effect: ClassVar[str] = "effect.to_adaptive"
    formula: ClassVar[str] = (
        r"u \leftarrow \max(\beta_2 u, |g| + \epsilon),\quad"
        r" w \leftarrow w - \eta\, \frac{m}{(1-\beta_1^t)\, u}"
    )
    slots: ClassVar[tuple[Slot, ...]] = (FIRST_MOMENT, LARGEST_GRADIENT)
    lr: LearningRate = 0.002

    def update(self, weight: Tensor, grad: Tensor, slots: Slots, t: Tensor, lr: Rate) -> tuple[Tensor, Slots]:
        mean = slots[0].lerp(grad, 1 - self.beta1)
        largest = torch.maximum(slots[1] * self.beta2, grad.abs() + self.eps)
        return mean / _filled(self.beta1, t) / largest * -lr, (mean, largest)

    @staticmethod
    def compiled(
        weight: Any, grad: Any, slots: Any, correction: Any, lr: float, beta1: float, beta2: float, eps: float
    ) -> Any:
        mean = slots[0] + (1 - beta1) * (grad - slots[0])
        largest = np.maximum(beta2 * slots[1], np.abs(grad) + eps)
        return -lr * mean / (correction[0] * largest), (mean, largest)
