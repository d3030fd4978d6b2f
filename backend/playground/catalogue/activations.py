"""Activations: what a neuron makes of its weighted sum."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component


class Activation(Component):
    """Applied element by element to the pre-activation z, (R, batch, width) in and out."""

    learned: ClassVar[dict[str, float]] = {}
    """Parameters that the optimizer updates, one per layer, with their initial values."""

    forward: ClassVar[Callable[..., Tensor]]
    """forward(z, **learned) -> f(z), with the learned parameters, (R, 1, 1) each, by name."""

    compiled: ClassVar[Callable[..., Any]]
    """compiled(z, *fields) -> f(z), f'(z), for the compiled trainer; without it, the reference trains."""


class Linear(Activation):
    """Passes the sum on as it is. A deep network of linear layers can still only draw a straight line."""

    kind: Literal["linear"] = "linear"
    label: ClassVar[str] = "Linear"
    effect: ClassVar[str] = "effect.to_linear"
    formula: ClassVar[str] = r"f(z) = z"

    def forward(self, z: Tensor) -> Tensor:
        return z

    @staticmethod
    def compiled(z: Any) -> Any:
        return z, 1.0


class Sigmoid(Activation):
    """Squashes every sum into 0 to 1. Far from zero it is flat (its slope is never over 0.25), so deep
    networks of it learn slowly."""

    kind: Literal["sigmoid"] = "sigmoid"
    label: ClassVar[str] = "Sigmoid"
    effect: ClassVar[str] = "effect.to_squashing"
    formula: ClassVar[str] = r"f(z) = \frac{1}{1 + e^{-z}}"

    def forward(self, z: Tensor) -> Tensor:
        return z.sigmoid()

    @staticmethod
    def compiled(z: Any) -> Any:
        f = 1 / (1 + np.exp(-z))
        return f, f * (1 - f)


class Tanh(Activation):
    """Squashes every sum into -1 to 1, centred on zero. A good start for small networks; flat far out."""

    kind: Literal["tanh"] = "tanh"
    label: ClassVar[str] = "Tanh"
    effect: ClassVar[str] = "effect.to_squashing"
    formula: ClassVar[str] = r"f(z) = \tanh z = 2\sigma(2z) - 1"

    def forward(self, z: Tensor) -> Tensor:
        return z.tanh()

    @staticmethod
    def compiled(z: Any) -> Any:
        f = np.tanh(z)
        return f, 1 - f * f


class ReLU(Activation):
    """Keeps what is positive and cuts the rest to zero. Fast to learn; a unit whose sums are all negative
    is dead, since no gradient passes."""

    kind: Literal["relu"] = "relu"
    label: ClassVar[str] = "ReLU"
    effect: ClassVar[str] = "effect.to_relu"
    formula: ClassVar[str] = r"f(z) = \max(0, z)"

    def forward(self, z: Tensor) -> Tensor:
        return z.relu()

    @staticmethod
    def compiled(z: Any) -> Any:
        return np.maximum(z, 0), np.where(z > 0, 1, 0)


class LeakyReLU(Activation):
    """A ReLU that lets a little of the negative side through, so that no unit dies."""

    kind: Literal["leaky_relu"] = "leaky_relu"
    label: ClassVar[str] = "Leaky ReLU"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases}"
    alpha: float = Field(default=0.01, title="Alpha α", ge=0, le=1, description="Slope of the negative side")

    def forward(self, z: Tensor) -> Tensor:
        return F.leaky_relu(z, self.alpha)

    @staticmethod
    def compiled(z: Any, alpha: float) -> Any:
        return np.where(z > 0, z, alpha * z), np.where(z > 0, 1, alpha)


class ELU(Activation):
    """Like a ReLU, but the negative side bends smoothly down to -alpha, which keeps the mean near zero."""

    kind: Literal["elu"] = "elu"
    label: ClassVar[str] = "ELU"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha (e^z - 1) & z \le 0 \end{cases}"
    alpha: float = Field(default=1.0, title="Alpha α", ge=0, le=10, description="Depth of the negative side")

    def forward(self, z: Tensor) -> Tensor:
        return F.elu(z, self.alpha)

    @staticmethod
    def compiled(z: Any, alpha: float) -> Any:
        below = np.minimum(z, 0)
        return np.where(z > 0, z, alpha * np.expm1(below)), np.where(z > 0, 1, alpha * np.exp(below))


class GELU(Activation):
    """A smooth ReLU that weighs each sum by its chance under a normal distribution; used in transformers."""

    kind: Literal["gelu"] = "gelu"
    label: ClassVar[str] = "GELU"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = z\,\Phi(z)"

    def forward(self, z: Tensor) -> Tensor:
        return F.gelu(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        """Φ by Abramowitz, Stegun, 7.1.26: no further than 1.5e-7 from it."""
        bell = np.exp(-0.5 * z * z)
        t = 1 / (1 + 0.3275911 * 0.70710678 * np.abs(z))
        series = t * (
            0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
        )
        tail = 0.5 * series * bell
        share = np.where(z > 0, 1 - tail, tail)
        return z * share, share + 0.39894228 * z * bell


class SiLU(Activation):
    """A smooth ReLU: each sum times its own sigmoid. Also called swish."""

    kind: Literal["silu"] = "silu"
    label: ClassVar[str] = "SiLU"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = z\,\sigma(z)"

    def forward(self, z: Tensor) -> Tensor:
        return F.silu(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        share = 1 / (1 + np.exp(-z))
        return z * share, share * (1 + z * (1 - share))
