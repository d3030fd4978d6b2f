"""Where training met NaN or infinity, or a network that cannot learn any more, and why."""

from dataclasses import dataclass

import numpy as np
import torch

from playground.i18n import Text, say
from playground.training.batches import Batches
from playground.training.evaluation import Samples
from playground.training.experiment import Experiment
from playground.training.gradient import Masks, Model
from playground.training.state import State
from playground.training.trainer import Trainer

NO_GRADIENT = 1e-20
"""A gradient as small as this changes no weight."""


@dataclass
class Diverged(ArithmeticError):
    """Training went to NaN or infinity in this step. The state is the one before it, all finite."""

    step: int
    layer: int
    detail: Text
    samples: Samples


def step_until_divergence(
    trainer: Trainer, experiment: Experiment, before: State, learning_rates: np.ndarray
) -> np.ndarray:
    """Take steps that do not end finite once more, by halves, and stop before the one that is to blame.

    Returns the points of the history up to there; `trainer.state` is then the last that is finite.
    """
    trainer.change(experiment, before)
    points = [trainer.step(learning_rates[:0])[0]]
    while len(learning_rates):
        before, count = trainer.state.copy(), max(1, len(learning_rates) // 2)
        recorded, finite = trainer.step(learning_rates[:count])
        if finite:
            points.append(recorded)
            learning_rates = learning_rates[count:]
            continue
        trainer.change(experiment, before)
        if count == 1:
            break
        learning_rates = learning_rates[:count]
    return np.concatenate(points)


def stuck(experiment: Experiment, state: State) -> tuple[int, Text] | None:
    """The last hidden layer, and why, if no gradient comes to any of them from any training point.

    Then training changes nothing but the output layer; with ReLU it stays so ("dying ReLU").
    """
    state, hidden = state.copy(), experiment.network.spans[:-1]
    config = experiment.config.model_copy(update={"l1": 0.0, "l2": 0.0})
    model = Model(experiment.network, state)
    masks: Masks = [None] * len(experiment.network.dropouts)
    data = experiment.class_weights, *experiment.whole_batch, masks
    _, grad, activations = model.loss_and_grad(config, *data)
    if not hidden or any(grad[:, span].abs().max() > NO_GRADIENT for span in hidden):
        return None
    last = len(hidden) - 1
    return last, say("stuck.silent" if activations[last].abs().max() == 0 else "stuck.saturated")


def cause(experiment: Experiment, state: State) -> tuple[int, Text]:
    """The layer in which the next step from this state meets NaN or infinity, and what does."""
    state = state.copy()
    x, y, masks = Batches(experiment, state.seeds).next(state)
    model = Model(experiment.network, state)
    _, grad, activations = model.loss_and_grad(experiment.config, experiment.class_weights, x, y, masks)
    for index, activation in enumerate(activations):
        if not torch.isfinite(activation).all():
            return index, say("divergence.activations")
    spans = experiment.network.spans
    for index, span in reversed(list(enumerate(spans))):
        if not torch.isfinite(grad[:, span]).all():
            return index, say("divergence.gradient")
    sizes = [float(state.weights[:, span].abs().max()) for span in spans]
    return int(np.argmax(sizes)), say("divergence.weights")
