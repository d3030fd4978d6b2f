"""What the optimizer knows of each weight, and what it will do with it next."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from playground.training.batches import Batches
from playground.training.experiment import Experiment
from playground.training.gradient import Model
from playground.training.schedule import learning_rates
from playground.training.state import State
from playground.training.weights import check_place

Quantities = dict[str, np.ndarray]
"""By name: `value`; `gradient` of the next mini-batch, with L1 and L2, before clipping; `next_step`, what the
optimizer will change the weight by; `effective_rate`, |next step| / |gradient|, NaN where there is no
gradient; and what it remembers now, by the names of its slots."""


@dataclass(frozen=True)
class NextUpdate:
    """The next step of the first network, found without taking it."""

    learning_rate: float
    layers: list[dict[str, Quantities]]
    """Of each layer, by the name of a parameter: weight (in, out), the others (out,)."""

    @classmethod
    def of(cls, experiment: Experiment, state: State) -> "NextUpdate":
        config, network, state = experiment.config, experiment.network, state.copy()
        rates = learning_rates(config, state, 1)
        x, y, masks = Batches(experiment, state.seeds).next(state)
        model = Model(network, state, experiment.trained)
        _, grad, _ = model.loss_and_grad(config, experiment.class_weights, x, y, masks)
        step, _ = model.next_step(config, grad, torch.from_numpy(rates).to(state.weights))
        slots = {slot.name: kept for slot, kept in zip(config.optimizer.slots, state.slots, strict=True)}
        rate = torch.where(grad == 0, torch.nan, step.abs() / grad.abs())
        flat: dict[str, Tensor] = {
            "value": state.weights,
            "gradient": grad,
            "next_step": step,
            "effective_rate": rate,
            **slots,
        }
        layers: list[dict[str, Quantities]] = [
            {name: {} for name in layer.parameters} for layer in network.layers
        ]
        for quantity, numbers in flat.items():
            for own, views in zip(layers, network.parameters(numbers), strict=True):
                for name, view in views.items():
                    own[name][quantity] = (view[0] if name == "weight" else view[0, 0]).cpu().numpy()
        return cls(float(rates[0, 0]), layers)

    def of_weight(self, layer: int, source: int | None, unit: int) -> dict[str, float]:
        """The quantities of one edge, or of a bias where `source` is None."""
        name, place = ("bias", unit) if source is None else ("weight", (source, unit))
        return {quantity: float(numbers[place]) for quantity, numbers in self.layers[layer][name].items()}


def quantities_of(
    experiment: Experiment, state: State, weight: tuple[int, int | None, int] | None
) -> dict[str, np.ndarray]:
    """By `layer.parameter.quantity`, or of one weight (layer, source, unit) by quantity, (1,) each; and the
    `learning_rate`, (1,). Raises ValidationFailed for a weight that is not there."""
    if weight:
        check_place(experiment.network, *weight)
    update = NextUpdate.of(experiment, state)
    rate = {"learning_rate": np.array([update.learning_rate])}
    if weight:
        return rate | {name: np.array([value]) for name, value in update.of_weight(*weight).items()}
    return rate | {
        f"{index}.{name}.{quantity}": numbers
        for index, layer in enumerate(update.layers)
        for name, quantities in layer.items()
        for quantity, numbers in quantities.items()
    }
