"""The network: what parameters it has, where they lie, and how an input becomes an output.

R networks of one shape are a stack. All trainable parameters of a stack lie in one flat tensor (R, P), and
each parameter is a view of it: weight (R, in, out); bias, gamma and beta (R, 1, out). Running statistics of
batch normalisation lie in a second flat tensor (R, B) in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from backend import limits
from backend.catalogue.activations import Activation
from backend.catalogue.component import Problem
from backend.config import RunConfig
from backend.randomness import normal, uniform

BATCHNORM_EPS = 1e-5
BATCHNORM_MOMENTUM = 0.1
MOST_UPDATES = 2.0**24
"""As far as float32 counts one by one."""

Views = list[dict[str, Tensor]]
"""Parameters by layer and name."""


@dataclass(frozen=True)
class LayerShape:
    """One layer of units, hidden or output."""

    inputs: int
    width: int
    activation: Activation
    batchnorm: bool = False
    dropout: float = 0.0

    @property
    def parameters(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {"weight": (self.inputs, self.width), "bias": (1, self.width)}
        if self.batchnorm:
            shapes |= {"gamma": (1, self.width), "beta": (1, self.width)}
        return shapes | dict.fromkeys(self.activation.learned, (1, 1))

    @property
    def buffers(self) -> dict[str, tuple[int, ...]]:
        return {"mean": (1, self.width), "var": (1, self.width)} if self.batchnorm else {}


@dataclass(frozen=True)
class Network:
    """The shape of a network: its layers from the first hidden one to the output."""

    layers: tuple[LayerShape, ...]
    input_dropout: float = 0.0

    @classmethod
    def of(cls, config: RunConfig, problem: Problem) -> "Network":
        layers = []
        inputs = len(config.features)
        for layer in config.hidden:
            layers.append(LayerShape(inputs, layer.width, layer.activation, layer.batchnorm, layer.dropout))
            inputs = layer.width
        layers.append(LayerShape(inputs, config.loss.units(problem), config.output_activation()))
        return cls(tuple(layers), config.input_dropout)

    @cached_property
    def size(self) -> int:
        """Trainable parameters of one network, P."""
        return _size([layer.parameters for layer in self.layers])

    @cached_property
    def buffer_size(self) -> int:
        return _size([layer.buffers for layer in self.layers])

    @cached_property
    def dropouts(self) -> tuple[float, ...]:
        """Dropout rates: of the inputs, then of each layer."""
        return (self.input_dropout, *(layer.dropout for layer in self.layers))

    def parameters(self, flat: Tensor) -> Views:
        """Views of a flat tensor (R, P), by layer and name."""
        return _views(flat, [layer.parameters for layer in self.layers])

    def buffers(self, flat: Tensor) -> Views:
        return _views(flat, [layer.buffers for layer in self.layers])

    @cached_property
    def spans(self) -> list[slice]:
        """Where the parameters of each layer lie in the flat tensor."""
        spans, start = [], 0
        for layer in self.layers:
            stop = start + _size([layer.parameters])
            spans.append(slice(start, stop))
            start = stop
        return spans


@dataclass
class State:
    """Everything that training changes, of R networks at once."""

    seeds: Tensor
    """(R,) int64."""
    weights: Tensor
    """(R, P) float32."""
    buffers: Tensor
    """(R, B) float32: running statistics of batch normalisation."""
    slots: Tensor
    """(slots, R, P) float32: what the optimizer remembers."""
    updates: Tensor
    """(R, P) float32: how often each weight was updated since the optimizer met it. Bias correction counts by
    it, so that a neuron that came later takes first steps of its own. It ends at `MOST_UPDATES`."""
    step: int = 0
    epoch: int = 0
    cursor: int = 0
    """Samples of the current epoch that are done."""
    samples: int = 0
    """Points of the history recorded so far."""
    stride: int = 1
    """Steps between two points of the history."""

    def copy(self) -> "State":
        return replace(
            self,
            weights=self.weights.clone(),
            buffers=self.buffers.clone(),
            slots=self.slots.clone(memory_format=torch.contiguous_format),
            updates=self.updates.clone(),
        )

    def tensors(self) -> tuple[Tensor, ...]:
        return (self.weights, self.buffers, self.slots, self.updates)


def thinned(step: int, stride: int) -> int:
    """Steps between two points of the history from `step` on: twice as many whenever it is full."""
    return stride * 2 if step // stride >= limits.HISTORY_SAMPLES else stride


def initialise(network: Network, config: RunConfig, seeds: Tensor) -> tuple[Tensor, Tensor]:
    """Fresh parameters (R, P) and buffers (R, B) for each seed (R,)."""
    weights = torch.zeros(len(seeds), network.size, device=seeds.device)
    buffers = torch.zeros(len(seeds), network.buffer_size, device=seeds.device)
    views = zip(network.layers, network.parameters(weights), network.buffers(buffers), strict=True)
    for index, (layer, parameters, running) in enumerate(views):
        shape, purpose = (layer.inputs, layer.width), f"init {index}"
        drawn = config.init.weight(
            *shape,
            uniform=lambda s=shape, p=purpose: uniform(seeds, p, 0, s) * 2 - 1,
            normal=lambda s=shape, p=purpose: normal(seeds, p, 0, s),
        )
        parameters["weight"].copy_(drawn)
        for name, value in {"gamma": 1.0, **layer.activation.learned}.items():
            if name in parameters:
                parameters[name].fill_(value)
        if layer.batchnorm:
            running["var"].fill_(1)
    return weights, buffers


def forward(
    network: Network,
    parameters: Views,
    buffers: Views,
    x: Tensor,
    masks: Sequence[Tensor | None] | None = None,
) -> list[Tensor]:
    """Activations of every layer, (R, batch, width) each, for features x (R, batch, inputs).

    With masks, one a layer and the inputs' first, it is a pass of training: batch statistics are used and
    the running ones updated in place. Without, it is evaluation.
    """
    training = masks is not None
    masks = masks or [None] * (len(network.layers) + 1)
    activations = []
    x = _dropped(x, masks[0])
    for layer, p, running, mask in zip(network.layers, parameters, buffers, masks[1:], strict=True):
        z = preactivation(layer, p, running, x, training)
        learned = {name: p[name] for name in layer.activation.learned}
        x = _dropped(layer.activation.forward(z, **learned), mask)
        activations.append(x)
    return activations


def preactivation(
    layer: LayerShape, p: dict[str, Tensor], running: dict[str, Tensor], x: Tensor, training: bool
) -> Tensor:
    """The sums of a layer, normalised if it has batch normalisation (Ioffe, Szegedy, 2015)."""
    z = torch.baddbmm(p["bias"], x, p["weight"])
    if not layer.batchnorm:
        return z
    batch = z.shape[1]
    if training and batch > 1:
        var, mean = torch.var_mean(z, dim=1, correction=0, keepdim=True)
        running["mean"].lerp_(mean.detach(), BATCHNORM_MOMENTUM)
        running["var"].lerp_(var.detach() * (batch / (batch - 1)), BATCHNORM_MOMENTUM)
    else:  # one sample has no spread of its own
        var, mean = running["var"], running["mean"]
    return torch.addcmul(p["beta"], (z - mean) * (var + BATCHNORM_EPS).rsqrt(), p["gamma"])


def _dropped(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def _size(shapes: list[dict[str, tuple[int, ...]]]) -> int:
    return sum(torch.Size(shape).numel() for layer in shapes for shape in layer.values())


def _views(flat: Tensor, shapes: list[dict[str, tuple[int, ...]]]) -> Views:
    views: Views = []
    start = 0
    for layer in shapes:
        views.append({})
        for name, shape in layer.items():
            stop = start + torch.Size(shape).numel()
            views[-1][name] = flat[:, start:stop].unflatten(1, shape)
            start = stop
    return views
