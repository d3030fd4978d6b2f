"""Hidden units that learn nothing or hardly anything, and those that dropout silenced."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from playground.catalogue.activations import Activation
from playground.training.experiment import Experiment
from playground.training.gradient import Masks, dropout_masks
from playground.training.loop import TrainingLoop
from playground.training.network import Network, forward
from playground.training.state import State

WELL, SATURATED, DEAD = 0, 1, 2
NO_SLOPE = 1e-6
"""A unit is dead if the slope of its activation is smaller than this at every training point."""
LITTLE_SLOPE, MOST_POINTS = 0.05, 0.95
"""It is saturated if, at more than so many of them, the slope is less than so much of the greatest."""
FULL_SLOPE = 1.0
"""A slope that passes a gradient on undiminished: no activation is measured by a greater one."""
REACH = torch.linspace(-8, 8, 641)
"""Sums over which the greatest slope of an activation is sought."""
CHUNK = 1024
"""Points that are looked at together."""
EVERY, REST = 1.0, 20.0
"""Seconds between two looks, at least; after one that took t, there is none for 20 t."""


def slope_of(activation: Activation, z: Tensor, learned: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """What it makes of sums z, and its slope there, of z's shape, by autograd."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        value = activation.forward(z, **{name: number.detach() for name, number in learned.items()})
        (slope,) = torch.autograd.grad(value.sum(), z)
    return value.detach(), slope


def greatest_slope(activation: Activation, learned: dict[str, Tensor]) -> float:
    """`FULL_SLOPE` at most."""
    _, slope = slope_of(activation, REACH[None, :, None], learned)
    return min(FULL_SLOPE, float(slope.abs().max()))


class Recorder:
    """In the place of an activation: keeps the slopes at what goes in."""

    def __init__(self, activation: Activation):
        self.learned = activation.learned
        self._activation = activation
        self.slopes = torch.empty(0)

    def forward(self, z: Tensor, **learned: Tensor) -> Tensor:
        value, self.slopes = slope_of(self._activation, z, learned)
        return value


@dataclass(frozen=True)
class Flatness:
    """Of the units of one hidden layer."""

    share: np.ndarray
    """(width,) float32: at what share of the training points its activation has little slope."""
    states: np.ndarray
    """(width,) uint8: `WELL`, `SATURATED` or `DEAD`."""


@torch.no_grad()
def flatness(experiment: Experiment, state: State) -> list[Flatness]:
    """Of each hidden layer of the first network, over all training points, evaluated as ever: dropout off,
    running statistics."""
    network = experiment.network
    recorders = [Recorder(layer.activation) for layer in network.layers]
    recorded = Network(
        tuple(
            replace(layer, activation=cast(Any, recorder))
            for layer, recorder in zip(network.layers, recorders, strict=True)
        )
    )
    parameters, buffers = network.parameters(state.weights[:1]), network.buffers(state.buffers[:1])
    tops = [
        greatest_slope(layer.activation, {name: p[name].cpu() for name in layer.activation.learned})
        for layer, p in zip(network.layers, parameters, strict=True)
    ]
    few = [torch.zeros(layer.width, device=experiment.device) for layer in network.layers]
    most = [torch.zeros_like(each) for each in few]
    for x in experiment.train_x.split(CHUNK, dim=1):
        forward(recorded, parameters, buffers, x)
        for index, recorder in enumerate(recorders):
            slopes = recorder.slopes[0].abs()
            few[index] += (slopes < LITTLE_SLOPE * tops[index]).sum(dim=0)
            most[index] = torch.maximum(most[index], slopes.amax(dim=0))
    return [
        _flatness((few[index] / experiment.count).cpu().numpy(), most[index].cpu().numpy())
        for index in range(len(network.layers) - 1)
    ]


def _flatness(share: np.ndarray, most: np.ndarray) -> Flatness:
    states = np.where(most < NO_SLOPE, DEAD, np.where(share > MOST_POINTS, SATURATED, WELL))
    share = np.where(states == DEAD, 1, share)
    return Flatness(share.astype(np.float32), states.astype(np.uint8))


class UnitWatch:
    """The states of all hidden units, for the frames: looked at about once a second."""

    def __init__(self) -> None:
        self._of: Experiment | None = None
        self._states = np.empty(0, np.uint8)
        self._next = 0.0

    def settle(self) -> None:
        """The next look is at what is there then, however soon it comes."""
        self._next = 0.0

    def states(self, experiment: Experiment, state: State) -> np.ndarray:
        """(hidden units,) uint8, layer by layer."""
        start = monotonic()
        if experiment is not self._of or start >= self._next:
            self._of = experiment
            found = [layer.states for layer in flatness(experiment, state)]
            self._states = np.concatenate(found) if found else np.empty(0, np.uint8)
            end = monotonic()
            self._next = end + max(EVERY, REST * (end - start))
        return self._states


def last_masks(experiment: Experiment, state: State) -> Masks | None:
    """Of the last step, as `dropout_masks` gives them, (1, 1, batch, width) each; none where nothing was
    dropped, or there was no step."""
    network, config = experiment.network, experiment.config
    if state.step == 0 or not any(network.dropouts):
        return None
    size = min(config.batch_size, experiment.count)
    if state.cursor == 0:  # the last of an epoch may be smaller
        size = (experiment.count - 1) % config.batch_size + 1
    steps = torch.full((1, 1), state.step - 1, dtype=torch.int64, device=state.seeds.device)
    return dropout_masks(network, state.seeds[:1], steps, size)


def dropped(experiment: Experiment, state: State) -> dict[str, np.ndarray]:
    """What dropout silenced in the last step, of the inputs and then of all hidden units: `dropped`, (units,)
    uint8, 1 where that was so for the first sample of the mini-batch; and `dropped_share`, (units,) float32,
    for what share of its samples. Nothing where nothing is dropped."""
    masks = last_masks(experiment, state)
    if masks is None:
        return {}
    silent = [kept.T for kept in _silenced(experiment, masks)]  # (width, batch) each
    whole = np.concatenate(silent)
    return {"dropped": whole[:, 0].astype(np.uint8), "dropped_share": whole.mean(axis=1, dtype=np.float32)}


def _silenced(experiment: Experiment, masks: Masks) -> Iterator[np.ndarray]:
    """Of the inputs, then of each hidden layer, (batch, width) bool."""
    batch = next(mask.shape[2] for mask in masks if mask is not None)
    for layer, mask in zip(experiment.network.layers, masks, strict=False):
        if mask is None:
            yield np.zeros((batch, layer.inputs), bool)
        else:
            yield (mask[0, 0] == 0).cpu().numpy()


def looked_inside(loop: TrainingLoop) -> dict[str, np.ndarray]:
    """By layer, `0.share` and `0.states` of hidden units, and `0.mask`, (batch, width) uint8: 1 where dropout
    silenced a unit for a sample of the last mini-batch; `inputs.mask` likewise. No masks where nothing is
    dropped."""
    arrays: dict[str, np.ndarray] = {}
    for index, layer in enumerate(flatness(loop.experiment, loop.state)):
        arrays |= {f"{index}.share": layer.share, f"{index}.states": layer.states}
    if masks := last_masks(loop.experiment, loop.state):
        for index, mask in enumerate(_silenced(loop.experiment, masks)):
            name = "inputs.mask" if index == 0 else f"{index - 1}.mask"
            arrays[name] = mask.astype(np.uint8)
    return arrays
