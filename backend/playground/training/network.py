"""The network: what parameters it has, where they lie, and how an input becomes an output.

R networks of one shape are a stack. All trainable parameters of a stack lie in one flat tensor (R, P), and
each parameter is a view of it: weight (R, in, out), the others (R, 1, out). Running statistics of
normalisations lie in a second flat tensor (R, B) in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from playground.catalogue.component import Task
from playground.run.config import Config
from playground.run.layers import LayerShape, layers_of, size_of

LayerTensors = list[dict[str, Tensor]]
"""Parameters by layer and name."""


@dataclass(frozen=True)
class Network:
    """The shape of a network: its layers from the first hidden one to the output."""

    layers: tuple[LayerShape, ...]
    input_dropout: float = 0.0

    @classmethod
    def of(cls, config: Config, task: Task) -> "Network":
        return cls(layers_of(config, task), config.input_dropout)

    @cached_property
    def size(self) -> int:
        """Trainable parameters of one network, P."""
        return sum(size_of(layer.parameters) for layer in self.layers)

    @cached_property
    def buffer_size(self) -> int:
        return sum(size_of(layer.buffers) for layer in self.layers)

    @cached_property
    def units(self) -> int:
        """Units of all layers, the outputs included."""
        return sum(layer.width for layer in self.layers)

    @cached_property
    def dropouts(self) -> tuple[float, ...]:
        """Dropout rates: of the inputs, then of each layer."""
        return (self.input_dropout, *(layer.dropout for layer in self.layers))

    @cached_property
    def spans(self) -> list[slice]:
        """Where the parameters of each layer lie in the flat tensor."""
        spans, start = [], 0
        for layer in self.layers:
            stop = start + size_of(layer.parameters)
            spans.append(slice(start, stop))
            start = stop
        return spans

    def parameters(self, flat: Tensor) -> LayerTensors:
        """Views of a flat tensor (R, P), by layer and name."""
        return _views(flat, [layer.parameters for layer in self.layers])

    def buffers(self, flat: Tensor) -> LayerTensors:
        return _views(flat, [layer.buffers for layer in self.layers])

    def penalized(self, like: Tensor) -> Tensor:
        """1 for each parameter that L1 and L2 pull at, the weights, 0 for the others; (R, P)."""
        mask = torch.zeros_like(like)
        for parameters in self.parameters(mask):
            parameters["weight"].fill_(1)
        return mask


def initialise(network: Network, config: Config, seeds: Tensor) -> tuple[Tensor, Tensor]:
    """Fresh parameters (R, P) and buffers (R, B) for each seed (R,)."""
    weights = torch.zeros(len(seeds), network.size, device=seeds.device)
    buffers = torch.zeros(len(seeds), network.buffer_size, device=seeds.device)
    drawn = config.init.weights([(layer.inputs, layer.width) for layer in network.layers], seeds)
    views = zip(network.layers, network.parameters(weights), network.buffers(buffers), drawn, strict=True)
    for layer, parameters, running, weight in views:
        parameters["weight"].copy_(weight)
        for name, value in layer.initial.items():
            parameters[name].fill_(value)
        parameters["bias"].fill_(config.init.bias)
        for name, value in layer.normalization.buffers.items():
            running[name].fill_(value)
    return weights, buffers


def forward(
    network: Network,
    parameters: LayerTensors,
    buffers: LayerTensors,
    x: Tensor,
    masks: Sequence[Tensor | None] | None = None,
) -> list[Tensor]:
    """Activations of every layer, (R, batch, width) each, for features x (R, batch, inputs).

    With masks, one a layer and the inputs' first, it is a pass of training: batch statistics are used and
    the running ones updated in place. Without, it is evaluation.
    """
    training = masks is not None
    masks = masks or [None] * (len(network.layers) + 1)
    activations: list[Tensor] = []
    features = x = _dropped(x, masks[0])
    for layer, p, running, mask in zip(network.layers, parameters, buffers, masks[1:], strict=True):
        seen = torch.cat([features, *activations], dim=2) if layer.shortcut.sees_all else x
        z = layer.normalization.forward(torch.baddbmm(p["bias"], seen, p["weight"]), p, running, training)
        learned = {name: p[name] for name in layer.activation.learned}
        branch = _dropped(layer.activation.forward(z, **learned), mask)
        x = x + branch if layer.shortcut.adds_input else branch
        activations.append(x)
    return activations


def _dropped(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x * mask


def _views(flat: Tensor, shapes: list[dict[str, tuple[int, ...]]]) -> LayerTensors:
    views: LayerTensors = []
    start = 0
    for layer in shapes:
        views.append({})
        for name, shape in layer.items():
            stop = start + torch.Size(shape).numel()
            views[-1][name] = flat[:, start:stop].unflatten(1, shape)
            start = stop
    return views
