"""A network taken apart into its layers, and put together again."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from playground.catalogue.shortcuts import NoShortcut
from playground.training.experiment import Experiment
from playground.training.network import LayerShape, LayerTensors, Network, forward, initialise
from playground.training.state import State


@dataclass
class LayerState:
    """A layer taken out of a network."""

    shape: LayerShape
    tracks: list[dict[str, Tensor]]
    """The parameters (R, …), then each slot of the optimizer for them, the count of their updates, and which
    of them are pruned."""
    buffers: dict[str, Tensor]

    @property
    def parameters(self) -> dict[str, Tensor]:
        return self.tracks[0]


def split(network: Network, state: State) -> list[LayerState]:
    whole = (state.weights, *state.slots, state.updates, state.pruned)
    tracks = [network.parameters(flat) for flat in whole]
    running = network.buffers(state.buffers)
    return [
        LayerState(shape, [dict(track[index]) for track in tracks], dict(running[index]))
        for index, shape in enumerate(network.layers)
    ]


def join(network: Network, state: State, parts: list[LayerState]) -> State:
    def flat(views: LayerTensors, names: list[list[str]]) -> Tensor:
        rows = len(state.seeds)
        pieces = [views[i][name].reshape(rows, -1) for i, layer in enumerate(names) for name in layer]
        return torch.cat(pieces, dim=1) if pieces else state.buffers[:, :0]

    names = [list(layer.parameters) for layer in network.layers]
    tracks = range(len(parts[0].tracks))
    weights, *slots, updates, pruned = (flat([part.tracks[t] for part in parts], names) for t in tracks)
    memory = torch.stack(slots) if slots else weights.new_zeros(0, *weights.shape)
    buffers = flat([part.buffers for part in parts], [list(layer.buffers) for layer in network.layers])
    buffers = buffers.clone()
    return replace(
        state, weights=weights, buffers=buffers, slots=memory, updates=updates, pruned=pruned, grad=None
    )


def drawn_anew(network: Network, new: Experiment, state: State) -> tuple[Network, State]:
    """The network at its initialisation, with a memory as empty as that of a new optimizer."""
    weights, buffers = initialise(network, new.config, state.seeds)
    slots = weights.new_zeros(len(state.slots), *weights.shape)
    updates, pruned = torch.zeros_like(weights), torch.zeros_like(weights)
    fresh = replace(
        state, weights=weights, buffers=buffers, slots=slots, updates=updates, pruned=pruned, grad=None
    )
    return network, fresh


def activations(parts: list[LayerState], x: Tensor, state: State) -> list[Tensor]:
    """Evaluated activations (R, n, width) of some parts. Between two changes of a network, a residual layer
    may not be as wide as what comes in, and adds nothing then."""
    shapes = (part.shape for part in parts)
    fitting = (
        replace(shape, shortcut=NoShortcut())
        if shape.shortcut.adds_input and shape.inputs != shape.width
        else shape
        for shape in shapes
    )
    network, x = Network(tuple(fitting)), x.expand(len(state.seeds), -1, -1)
    return forward(network, [part.parameters for part in parts], [part.buffers for part in parts], x)
