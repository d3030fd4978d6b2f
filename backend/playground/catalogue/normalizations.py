"""Normalisations: what becomes of the sums of a layer before its activation."""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

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
    torch_module: ClassVar[str] = ""
    """What it is in `torch.nn`; a script cannot have it otherwise."""
    torch_names: ClassVar[dict[str, str]] = {}
    """How parameters and buffers are called there."""
    onnx: ClassVar[tuple[str, ...]] = ()
    """Its operation in ONNX, and what that takes of parameters and buffers."""
    keras: ClassVar[str] = ""
    """Its layer in Keras."""
    keras_names: ClassVar[dict[str, str]] = {}
    """How parameters and buffers are called there, in the order of its weights."""
    eps: ClassVar[float]
    """Added to the variance of the sums, or to their mean square."""

    @classmethod
    def is_compiled(cls) -> bool:
        return cls.in_kernel

    def forward(self, z: Tensor, parameters: Named, buffers: Named, training: bool) -> Tensor:
        """Training may update the buffers in place."""
        raise NotImplementedError

    def identity_on(self, z: Tensor) -> tuple[Named, Named]:
        """Parameters and buffers with which evaluation leaves the sums z as they are; initial values where it
        is not affine."""
        return _initial(self.parameters, z), _initial(self.buffers, z)

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
    onnx: ClassVar[tuple[str, ...]] = ("BatchNormalization", "gamma", "beta", "running_mean", "running_var")
    keras: ClassVar[str] = "BatchNormalization"
    keras_names: ClassVar[dict[str, str]] = {
        "gamma": "gamma",
        "beta": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
    effect: ClassVar[str] = "effect.batchnorm_on"
    formula: ClassVar[str] = r"\hat z = \gamma\, \frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta"
    parameters: ClassVar[dict[str, float]] = {"gamma": 1.0, "beta": 0.0}
    buffers: ClassVar[dict[str, float]] = {"mean": 0.0, "var": 1.0}
    torch_module: ClassVar[str] = "BatchNorm1d"
    torch_names: ClassVar[dict[str, str]] = {
        "gamma": "weight",
        "beta": "bias",
        "mean": "running_mean",
        "var": "running_var",
    }
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


class LayerNorm(Normalization):
    """Centres and scales the sums of one sample over the neurons of the layer, then learns a scale γ and a
    shift β for each. The batch plays no part. A neuron alone in its layer puts out β, whatever comes in (Ba,
    Kiros, Hinton, 2016)."""

    kind: Literal["layernorm"] = "layernorm"
    label: ClassVar[str] = "Layer normalisation"
    onnx: ClassVar[tuple[str, ...]] = ("LayerNormalization", "gamma", "beta")
    keras: ClassVar[str] = "LayerNormalization"
    keras_names: ClassVar[dict[str, str]] = {"gamma": "gamma", "beta": "beta"}
    effect: ClassVar[str] = "effect.layernorm_on"
    formula: ClassVar[str] = (
        r"\hat z_j = \gamma_j\, \frac{z_j - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta_j,"
        r"\quad \mu = \tfrac1n \sum_k z_k,\; \sigma^2 = \tfrac1n \sum_k (z_k - \mu)^2"
    )
    parameters: ClassVar[dict[str, float]] = {"gamma": 1.0, "beta": 0.0}
    torch_module: ClassVar[str] = "LayerNorm"
    torch_names: ClassVar[dict[str, str]] = {"gamma": "weight", "beta": "bias"}
    in_kernel: ClassVar[bool] = True
    eps: ClassVar[float] = 1e-5

    def forward(self, z: Tensor, parameters: Named, buffers: Named, training: bool) -> Tensor:
        return torch.addcmul(parameters["beta"], self._normalized(z), parameters["gamma"])

    def identity_on(self, z: Tensor) -> tuple[Named, Named]:
        """For each unit the line through its normalised sums that comes closest to the sums themselves."""
        normalized = self._normalized(z)
        centred = normalized - normalized.mean(dim=1, keepdim=True)
        power = (centred * centred).sum(dim=1, keepdim=True)
        slope = (centred * z).sum(dim=1, keepdim=True) / power.clamp(min=self.eps)
        gamma = torch.where(power > self.eps, slope, 1)
        return {"gamma": gamma, "beta": (z - gamma * normalized).mean(dim=1, keepdim=True)}, {}

    def _normalized(self, z: Tensor) -> Tensor:
        return F.layer_norm(z, z.shape[-1:], eps=self.eps)


class RMSNorm(Normalization):
    """Scales the sums of one sample by their root mean square over the neurons of the layer, without centring
    them, then learns a scale γ for each. The batch plays no part (Zhang, Sennrich, 2019)."""

    kind: Literal["rmsnorm"] = "rmsnorm"
    label: ClassVar[str] = "RMS normalisation"
    keras: ClassVar[str] = "RMSNormalization"
    keras_names: ClassVar[dict[str, str]] = {"gamma": "scale"}
    effect: ClassVar[str] = "effect.rmsnorm_on"
    formula: ClassVar[str] = r"\hat z_j = \gamma_j\, \frac{z_j}{\sqrt{\tfrac1n \sum_k z_k^2 + \epsilon}}"
    parameters: ClassVar[dict[str, float]] = {"gamma": 1.0}
    torch_module: ClassVar[str] = "RMSNorm"
    torch_names: ClassVar[dict[str, str]] = {"gamma": "weight"}
    in_kernel: ClassVar[bool] = True
    eps: ClassVar[float] = torch.finfo(torch.float32).eps
    """As in `torch.nn.RMSNorm`."""

    def forward(self, z: Tensor, parameters: Named, buffers: Named, training: bool) -> Tensor:
        return self._normalized(z) * parameters["gamma"]

    def identity_on(self, z: Tensor) -> tuple[Named, Named]:
        """For each unit the factor of its normalised sums that comes closest to the sums themselves."""
        normalized = self._normalized(z)
        power = (normalized * normalized).sum(dim=1, keepdim=True)
        slope = (normalized * z).sum(dim=1, keepdim=True) / power.clamp(min=self.eps)
        return {"gamma": torch.where(power > self.eps, slope, 1)}, {}

    def _normalized(self, z: Tensor) -> Tensor:
        return z * (z.square().mean(dim=-1, keepdim=True) + self.eps).rsqrt()


def _initial(values: dict[str, float], z: Tensor) -> Named:
    return {name: z.new_full((len(z), 1, z.shape[2]), value) for name, value in values.items()}
