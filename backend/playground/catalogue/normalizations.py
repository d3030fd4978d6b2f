"""Normalisations: what becomes of the sums of a layer before its activation."""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from playground.catalogue.component import Component

Named = dict[str, Tensor]
"""Parameters or buffers by name, (R, 1, width) each."""


class Normalization(Component):
    """Applied to the sums z of a layer, (R, batch, width) in and out.

    `parameters` are learned and `buffers` are running statistics, both one for each unit, here with their
    initial values.
    """

    parameters: ClassVar[dict[str, float]] = {}
    buffers: ClassVar[dict[str, float]] = {}
    uses_batch: ClassVar[bool] = False
    """It normalises over the mini-batch, which then needs two samples, and takes away any bias of a sum."""
    affine: ClassVar[bool] = False
    """Evaluated, it scales and shifts each sum: so it can start as the identity, and be folded away."""
    in_kernel: ClassVar[bool] = False
    """`kernel.py` has it, too, written by hand; the reference trainer trains the others."""

    @classmethod
    def is_compiled(cls) -> bool:
        return cls.in_kernel

    def forward(self, z: Tensor, parameters: Named, buffers: Named, training: bool) -> Tensor:
        """Training may update the buffers in place."""
        raise NotImplementedError

    def identity_on(self, z: Tensor) -> tuple[Named, Named]:
        """Parameters and buffers with which evaluation leaves the sums z as they are; initial values where it
        is not affine."""
        ones = z.new_ones(len(z), 1, z.shape[2])
        parameters = {name: ones * value for name, value in self.parameters.items()}
        return parameters, {name: ones * value for name, value in self.buffers.items()}

    def folded(
        self, weight: Tensor, bias: Tensor, parameters: Named, buffers: Named
    ) -> tuple[Tensor, Tensor]:
        """Weight (R, in, width) and bias (R, 1, width) of a layer without it, evaluated as the one with it
        is; as they were where it is not affine."""
        return weight, bias


class NoNormalization(Normalization):
    """Passes the sums on as they are."""

    kind: Literal["none"] = "none"
    label: ClassVar[str] = "None"
    effect: ClassVar[str] = "effect.normalization_off"
    formula: ClassVar[str] = r"\hat z = z"
    in_kernel: ClassVar[bool] = True

    def forward(self, z: Tensor, parameters: Named, buffers: Named, training: bool) -> Tensor:
        return z


class BatchNorm(Normalization):
    """Centres and scales each sum over the mini-batch, then learns a scale γ and a shift β. Evaluation uses
    running statistics (Ioffe, Szegedy, 2015)."""

    kind: Literal["batchnorm"] = "batchnorm"
    label: ClassVar[str] = "Batch normalisation"
    effect: ClassVar[str] = "effect.batchnorm_on"
    formula: ClassVar[str] = r"\hat z = \gamma\, \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta"
    parameters: ClassVar[dict[str, float]] = {"gamma": 1.0, "beta": 0.0}
    buffers: ClassVar[dict[str, float]] = {"mean": 0.0, "var": 1.0}
    uses_batch: ClassVar[bool] = True
    affine: ClassVar[bool] = True
    in_kernel: ClassVar[bool] = True
    eps: ClassVar[float] = 1e-5
    momentum: ClassVar[float] = 0.1
    """How much of a batch's statistics the running ones take up, as in `torch.nn.BatchNorm1d`."""

    def forward(self, z: Tensor, parameters: Named, buffers: Named, training: bool) -> Tensor:
        batch = z.shape[1]
        if training and batch > 1:
            var, mean = torch.var_mean(z, dim=1, correction=0, keepdim=True)
            buffers["mean"].lerp_(mean.detach(), self.momentum)
            buffers["var"].lerp_(var.detach() * (batch / (batch - 1)), self.momentum)
        else:  # one sample has no spread of its own
            var, mean = buffers["var"], buffers["mean"]
        return torch.addcmul(parameters["beta"], (z - mean) * (var + self.eps).rsqrt(), parameters["gamma"])

    def identity_on(self, z: Tensor) -> tuple[Named, Named]:
        """γ = σ and β = μ undo the normalisation."""
        var, mean = torch.var_mean(z, dim=1, correction=0, keepdim=True)
        return {"gamma": (var + self.eps).sqrt(), "beta": mean.clone()}, {"mean": mean, "var": var}

    def folded(
        self, weight: Tensor, bias: Tensor, parameters: Named, buffers: Named
    ) -> tuple[Tensor, Tensor]:
        """w' = w γ/σ and b' = (b - μ) γ/σ + β."""
        factor = parameters["gamma"] * (buffers["var"] + self.eps).rsqrt()
        return weight * factor, (bias - buffers["mean"]) * factor + parameters["beta"]
