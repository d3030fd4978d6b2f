"""Activations: what a neuron makes of its weighted sum."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from playground.catalogue.component import Component


class Activation(Component):
    """Applied element by element to the pre-activation z, (R, batch, width) in and out."""

    learned: ClassVar[dict[str, float]] = {}
    """Parameters that the optimizer updates, one per layer, with their initial values."""

    identity: ClassVar[dict[str, float]] = {}
    """What is learned where it passes every sum on as it is, if it can; an added layer starts from it."""

    forward: ClassVar[Callable[..., Tensor]]
    """forward(z, **learned) -> f(z), with the learned parameters, (R, 1, 1) each, by name."""

    compiled: ClassVar[Callable[..., Any]]
    """compiled(z, *learned, *fields) -> f(z), f'(z), and the derivative of f by each that is learned, for the
    compiled trainer; without it, the reference trains."""

    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = ()
    """Its operations in ONNX, one after the other, each with its operands: `z` is the sum, `.` what the one
    before gave, a name what is learned; parameters are attributes. Without it, there is no ONNX of it."""
    keras: ClassVar[str] = ""
    """Its name in `keras.activations`, or that of a layer. Without it, there is no Keras of it."""
    keras_names: ClassVar[dict[str, str]] = {}
    """How parameters and what is learned are called there."""

    suggested_init: ClassVar[str] = ""
    """The `kind` of the initial weights that it is made for, where it is made for one."""


class Linear(Activation):
    """Passes the sum on as it is. A deep network of linear layers can still only draw a straight line."""

    kind: Literal["linear"] = "linear"
    label: ClassVar[str] = "Linear"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Identity", "z"),)
    keras: ClassVar[str] = "linear"
    effect: ClassVar[str] = "effect.to_linear"
    formula: ClassVar[str] = r"f(z) = z"

    def forward(self, z: Tensor) -> Tensor:
        return z

    @staticmethod
    def compiled(z: Any) -> Any:
        return z, 1.0


class BinaryStep(Activation):
    """The unit of the perceptron (Rosenblatt, 1958): 1 where the sum is positive, else 0. Its slope is 0
    everywhere, so no gradient passes: what stands before it cannot learn by descent."""

    kind: Literal["step"] = "step"
    label: ClassVar[str] = "Step"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Relu", "z"), ("Sign", "."))
    effect: ClassVar[str] = "effect.to_step"
    formula: ClassVar[str] = r"f(z) = \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}"

    def forward(self, z: Tensor) -> Tensor:
        return z.relu().sign()  # a comparison would have no gradient, not one of 0

    @staticmethod
    def compiled(z: Any) -> Any:
        return np.where(z > 0, 1, 0), 0.0


class Sigmoid(Activation):
    """Squashes every sum into 0 to 1. Far from zero it is flat (its slope is never over 0.25), so deep
    networks of it learn slowly."""

    kind: Literal["sigmoid"] = "sigmoid"
    label: ClassVar[str] = "Sigmoid"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Sigmoid", "z"),)
    keras: ClassVar[str] = "sigmoid"
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
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Tanh", "z"),)
    keras: ClassVar[str] = "tanh"
    effect: ClassVar[str] = "effect.to_squashing"
    formula: ClassVar[str] = r"f(z) = \tanh z = 2\sigma(2z) - 1"

    def forward(self, z: Tensor) -> Tensor:
        return z.tanh()

    @staticmethod
    def compiled(z: Any) -> Any:
        f = np.tanh(z)
        return f, 1 - f * f


class HardTanh(Activation):
    """A tanh of three straight pieces: the sum itself between -1 and 1, cut off beyond. Quick to calculate;
    where it is cut, no gradient passes (Collobert, 2004)."""

    kind: Literal["hard_tanh"] = "hard_tanh"
    label: ClassVar[str] = "Hard tanh"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Clip", "z", -1.0, 1.0),)
    keras: ClassVar[str] = "hard_tanh"
    effect: ClassVar[str] = "effect.to_squashing"
    formula: ClassVar[str] = r"f(z) = \max(-1, \min(1, z))"

    def forward(self, z: Tensor) -> Tensor:
        return F.hardtanh(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        return np.minimum(np.maximum(z, -1), 1), np.where(np.abs(z) < 1, 1, 0)


class Softsign(Activation):
    """Squashes like tanh, but comes near to -1 and 1 far more slowly, so that sums far out still have a
    little slope to learn from (Bergstra et al., 2009)."""

    kind: Literal["softsign"] = "softsign"
    label: ClassVar[str] = "Softsign"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Softsign", "z"),)
    keras: ClassVar[str] = "softsign"
    effect: ClassVar[str] = "effect.to_squashing"
    formula: ClassVar[str] = r"f(z) = \frac{z}{1 + |z|}"

    def forward(self, z: Tensor) -> Tensor:
        return F.softsign(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        share = 1 / (1 + np.abs(z))
        return z * share, share * share


class ReLU(Activation):
    """Keeps what is positive and cuts the rest to zero. Fast to learn; a unit whose sums are all negative
    is dead, since no gradient passes."""

    kind: Literal["relu"] = "relu"
    label: ClassVar[str] = "ReLU"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Relu", "z"),)
    keras: ClassVar[str] = "relu"
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
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("LeakyRelu", "z"),)
    keras: ClassVar[str] = "LeakyReLU"
    keras_names: ClassVar[dict[str, str]] = {"alpha": "negative_slope"}
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases}"
    alpha: float = Field(default=0.01, title="Alpha α", ge=0, le=1, description="Slope of the negative side")

    def forward(self, z: Tensor) -> Tensor:
        return F.leaky_relu(z, self.alpha)

    @staticmethod
    def compiled(z: Any, alpha: float) -> Any:
        return np.where(z > 0, z, alpha * z), np.where(z > 0, 1, alpha)


class PReLU(Activation):
    """A leaky ReLU that learns its own slope: alpha is one more weight of each layer, which the optimizer
    updates with the others; it starts at 0.25 (He et al., 2015)."""

    kind: Literal["prelu"] = "prelu"
    label: ClassVar[str] = "PReLU"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("PRelu", "z", "alpha"),)
    keras: ClassVar[str] = "PReLU"
    keras_names: ClassVar[dict[str, str]] = {"alpha": "alpha"}
    effect: ClassVar[str] = "effect.to_prelu"
    formula: ClassVar[str] = (
        r"f(z) = \begin{cases} z & z > 0 \\ \alpha z & z \le 0 \end{cases}"
        r",\quad \frac{\partial f}{\partial \alpha} = \min(0, z)"
    )
    learned: ClassVar[dict[str, float]] = {"alpha": 0.25}
    identity: ClassVar[dict[str, float]] = {"alpha": 1.0}

    def forward(self, z: Tensor, alpha: Tensor) -> Tensor:
        return torch.where(z > 0, z, alpha * z)

    @staticmethod
    def compiled(z: Any, alpha: Any) -> Any:
        return np.where(z > 0, z, alpha * z), np.where(z > 0, 1, alpha), np.minimum(z, 0)


class ELU(Activation):
    """Like a ReLU, but the negative side bends smoothly down to -alpha, which keeps the mean near zero."""

    kind: Literal["elu"] = "elu"
    label: ClassVar[str] = "ELU"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Elu", "z"),)
    keras: ClassVar[str] = "ELU"
    keras_names: ClassVar[dict[str, str]] = {"alpha": "alpha"}
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = \begin{cases} z & z > 0 \\ \alpha (e^z - 1) & z \le 0 \end{cases}"
    alpha: float = Field(default=1.0, title="Alpha α", ge=0, le=10, description="Depth of the negative side")

    def forward(self, z: Tensor) -> Tensor:
        return F.elu(z, self.alpha)

    @staticmethod
    def compiled(z: Any, alpha: float) -> Any:
        below = np.minimum(z, 0)
        return np.where(z > 0, z, alpha * np.expm1(below)), np.where(z > 0, 1, alpha * np.exp(below))


class SELU(Activation):
    """An ELU whose two numbers are chosen so that signals keep mean 0 and variance 1 through any number of
    layers, if the weights start as LeCun normal (Klambauer et al., 2017)."""

    kind: Literal["selu"] = "selu"
    label: ClassVar[str] = "SELU"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Selu", "z"),)
    keras: ClassVar[str] = "selu"
    effect: ClassVar[str] = "effect.to_selu"
    formula: ClassVar[str] = (
        r"f(z) = \lambda \begin{cases} z & z > 0 \\ \alpha (e^z - 1) & z \le 0 \end{cases}"
        r",\quad \lambda \approx 1.0507,\ \alpha \approx 1.6733"
    )
    suggested_init: ClassVar[str] = "lecun_normal"

    def forward(self, z: Tensor) -> Tensor:
        return F.selu(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        """1.75809934 is λα."""
        below = np.minimum(z, 0)
        return (
            np.where(z > 0, 1.05070099 * z, 1.75809934 * np.expm1(below)),
            np.where(z > 0, 1.05070099, 1.75809934 * np.exp(below)),
        )


class GELU(Activation):
    """A smooth ReLU that weighs each sum by its chance under a normal distribution; used in transformers."""

    kind: Literal["gelu"] = "gelu"
    label: ClassVar[str] = "GELU"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Gelu", "z"),)
    keras: ClassVar[str] = "gelu"
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
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Sigmoid", "z"), ("Mul", "z", "."))
    keras: ClassVar[str] = "silu"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = z\,\sigma(z)"

    def forward(self, z: Tensor) -> Tensor:
        return F.silu(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        share = 1 / (1 + np.exp(-z))
        return z * share, share * (1 + z * (1 - share))


class Mish(Activation):
    """A smooth ReLU, close to SiLU: each sum times the tanh of its softplus (Misra, 2019)."""

    kind: Literal["mish"] = "mish"
    label: ClassVar[str] = "Mish"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Mish", "z"),)
    keras: ClassVar[str] = "mish"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = z \tanh(\ln(1 + e^z))"

    def forward(self, z: Tensor) -> Tensor:
        return F.mish(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        """tanh(ln(1 + e^z)) from e^-|z|, which never overflows."""
        small = np.exp(-np.abs(z))
        up, down = 1 + 2 * small, small * (small + 2)
        share = np.where(z > 0, up / (up + 2 * small * small), down / (down + 2))
        sigmoid = np.where(z > 0, 1, small) / (1 + small)
        return z * share, share + z * (1 - share * share) * sigmoid


class Softplus(Activation):
    """A ReLU with a rounded corner; its slope is the sigmoid. It is never negative and never quite zero."""

    kind: Literal["softplus"] = "softplus"
    label: ClassVar[str] = "Softplus"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Softplus", "z"),)
    keras: ClassVar[str] = "softplus"
    effect: ClassVar[str] = "effect.to_relu_like"
    formula: ClassVar[str] = r"f(z) = \ln(1 + e^z) = \max(0, z) + \ln(1 + e^{-|z|})"

    def forward(self, z: Tensor) -> Tensor:
        return F.softplus(z)

    @staticmethod
    def compiled(z: Any) -> Any:
        small = np.exp(-np.abs(z))
        return np.maximum(z, 0) + np.log1p(small), np.where(z > 0, 1, small) / (1 + small)


class Exponential(Activation):
    """The value is its own slope: it grows without limit, so large sums soon make learning explode. Take a
    small learning rate."""

    kind: Literal["exponential"] = "exponential"
    label: ClassVar[str] = "Exponential"
    onnx: ClassVar[tuple[tuple[str | float, ...], ...]] = (("Exp", "z"),)
    keras: ClassVar[str] = "exponential"
    effect: ClassVar[str] = "effect.to_exponential"
    formula: ClassVar[str] = r"f(z) = e^z"

    def forward(self, z: Tensor) -> Tensor:
        return z.exp()

    @staticmethod
    def compiled(z: Any) -> Any:
        f = np.exp(z)
        return f, f
