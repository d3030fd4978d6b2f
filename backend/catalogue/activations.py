"""Activations: what a neuron makes of its weighted sum."""

from collections.abc import Callable
from typing import ClassVar, Literal

import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from backend.catalogue.component import Component


class Activation(Component):
    """Applied element by element to the pre-activation z, (R, batch, width) in and out."""

    learned: ClassVar[dict[str, float]] = {}
    """Parameters that the optimizer updates, one per layer, with their initial values."""

    forward: ClassVar[Callable[..., Tensor]]
    """forward(z, **learned) -> f(z), with the learned parameters, (R, 1, 1) each, by name."""


class Linear(Activation):
    """Passes the sum on as it is. A deep network of linear layers can still only draw a straight line."""

    kind: Literal["linear"] = "linear"
    label: ClassVar[str] = "Linear"
    formula: ClassVar[str] = r"f(z) = z"

    def forward(self, z: Tensor) -> Tensor:
        return z


class Sigmoid(Activation):
    """Squashes every sum into 0 to 1. Far from zero it is flat (its slope is never over 0.25), so deep
    networks of it learn slowly."""

    kind: Literal["sigmoid"] = "sigmoid"
    label: ClassVar[str] = "Sigmoid"
    formula: ClassVar[str] = r"f(z) = \frac{1}{1 + e^{-z}}"

    def forward(self, z: Tensor) -> Tensor:
        return z.sigmoid()


class Tanh(Activation):
    """Squashes every sum into -1 to 1, centred on zero. A good start for small networks; flat far out."""

    kind: Literal["tanh"] = "tanh"
    label: ClassVar[str] = "Tanh"
    formula: ClassVar[str] = r"f(z) = \tanh z = 2\sigma(2z) - 1"

    def forward(self, z: Tensor) -> Tensor:
        return z.tanh()


class ReLU(Activation):
    """Keeps what is positive and cuts the rest to zero. Fast to learn; a unit whose sums are all negative
    is dead, since no gradient passes."""

    kind: Literal["relu"] = "relu"
    label: ClassVar[str] = "ReLU"
    formula: ClassVar[str] = r"f(z) = \max(0, z)"

    def forward(self, z: Tensor) -> Tensor:
        return z.relu()


class LeakyReLU(Activation):
    """A ReLU that lets a little of the negative side through, so that no unit dies."""

    kind: Literal["leaky_relu"] = "leaky_relu"
    label: ClassVar[str] = "Leaky ReLU"
    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases}"
    alpha: float = Field(default=0.01, title="Alpha α", ge=0, le=1, description="Slope of the negative side")

    def forward(self, z: Tensor) -> Tensor:
        return F.leaky_relu(z, self.alpha)


class ELU(Activation):
    """Like a ReLU, but the negative side bends smoothly down to -alpha, which keeps the mean near zero."""

    kind: Literal["elu"] = "elu"
    label: ClassVar[str] = "ELU"
    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha (e^z - 1) & z \le 0 \end{cases}"
    alpha: float = Field(default=1.0, title="Alpha α", ge=0, le=10, description="Depth of the negative side")

    def forward(self, z: Tensor) -> Tensor:
        return F.elu(z, self.alpha)


class GELU(Activation):
    """A smooth ReLU that weighs each sum by its chance under a normal distribution; used in transformers."""

    kind: Literal["gelu"] = "gelu"
    label: ClassVar[str] = "GELU"
    formula: ClassVar[str] = r"f(z) = z\,\Phi(z)"

    def forward(self, z: Tensor) -> Tensor:
        return F.gelu(z)


class SiLU(Activation):
    """A smooth ReLU: each sum times its own sigmoid. Also called swish."""

    kind: Literal["silu"] = "silu"
    label: ClassVar[str] = "SiLU"
    formula: ClassVar[str] = r"f(z) = z\,\sigma(z)"

    def forward(self, z: Tensor) -> Tensor:
        return F.silu(z)
