"""A network, its config and its state as the kernel reads them."""

import math
from fractions import Fraction
from threading import local
from typing import Any

import numpy as np
import torch

from playground import limits
from playground.catalogue.component import Component
from playground.catalogue.losses import SoftmaxLoss
from playground.catalogue.stopping import Waiting
from playground.randomness import stream
from playground.run.layers import LayerShape
from playground.training.compiled import kernel
from playground.training.evaluation import Metrics
from playground.training.experiment import Experiment
from playground.training.state import State
from playground.training.stopping import rule_of

SCRATCH = local()


class Layout:
    """The records of an experiment. Numbers that may change with each step are set apart from shapes."""

    def __init__(self, experiment: Experiment, seeds: torch.Tensor):
        network = experiment.network
        purposes = ["shuffle", "noise", *(f"dropout {place}" for place in range(len(network.dropouts)))]
        streams = np.stack([stream(seeds, purpose).numpy() for purpose in purposes], axis=1)
        self.net = kernel.Net(
            np.zeros(1, kernel.SETTING),
            np.zeros(len(network.layers), kernel.LAYER),
            np.zeros(len(network.dropouts), kernel.DROPOUT),
            streams.view(np.uint64),
            np.ones(network.size, np.float32),
        )
        self.inputs = network.layers[0].inputs
        self.units = network.units
        self._size = network.size
        self._alone = len(seeds) == 1
        self._least_stride = Metrics(experiment).least_stride
        unit, start, running = self.inputs, 0, 0
        self.net.dropouts[0] = dropout_record(network.input_dropout, 0, unit)
        for index, shape in enumerate(network.layers):
            layer = self.net.layers[index]
            layer["inputs"], layer["width"] = shape.inputs, shape.width
            layer["source"], layer["unit"] = unit - shape.inputs, unit
            layer["residual"] = shape.shortcut.adds_input
            layer["gathers"] = shape.shortcut.adds_input or _leads_on(network.layers[index + 1 :])
            layer["normalization"] = kernel.NORMALIZATIONS.index(type(shape.normalization))
            layer["activation"] = component_record(shape.activation, kernel.ACTIVATIONS)
            for name, size in shape.parameters.items():
                if name in kernel.PARAMETERS:
                    layer[name] = start
                start += math.prod(size)
            layer["learned"], layer["end"] = start - len(shape.activation.learned), start
            for name, size in shape.buffers.items():
                layer[name] = running
                running += math.prod(size)
            self.net.dropouts[index + 1] = dropout_record(shape.dropout, unit, shape.width)
            unit += shape.width
        self.set_numbers(experiment)

    def set_numbers(self, experiment: Experiment) -> None:
        """Batch size, penalties, loss and optimizer, whose change moves no parameter."""
        config, dataset = experiment.config, experiment.dataset
        bounds = [config.clip_norm, config.clip_value, config.max_norm]
        decay, decoupled = config.optimizer.weight_decay, config.optimizer.decoupled_weight_decay
        temperature = config.loss.temperature if isinstance(config.loss, SoftmaxLoss) else 0.0
        weighted, class_weights = experiment.class_weights is not None, np.zeros(limits.CLASSES)
        if experiment.class_weights is not None:
            class_weights[: dataset.task.classes] = experiment.class_weights[0]
        self.net.trained[:] = 1 if experiment.trained is None else experiment.trained[0]
        rule = rule_of(experiment) if self._alone else None  # a stack stops as one, so its caller looks
        self.net.setting[0] = (
            config.batch_size,
            *(len(dataset.train_inputs), len(dataset.test_inputs)),
            *(dataset.task.classes, dataset.task.targets),
            self._least_stride,
            *(config.shuffle, weighted, experiment.trained is not None, rule.patience if rule else 0),
            *(config.carry_remainder, experiment.carried, config.l1_prunes),
            *(config.l1, config.l2, config.input_noise),
            *(math.inf if bound is None else bound for bound in bounds),
            *(0.0 if decoupled else decay, decay if decoupled else 0.0, rule.min_delta if rule else 0.0),
            *(temperature, class_weights, config.loss.against_true),
            component_record(config.loss, kernel.LOSSES),
            component_record(config.optimizer, kernel.OPTIMIZERS),
        )

    def scratch(self, samples: int, train: int = 0) -> kernel.Scratch:
        """Memory for rows of so many samples; all networks that a thread trains share it."""
        row = -(-samples // kernel.LANES) * kernel.LANES
        units = self.inputs + self.units
        rows = units + kernel.LANES  # `transpose` reads whole squares
        need = (rows * row, units, row, train, self._size)
        sizes, have = getattr(SCRATCH, "of_thread", None) or ((0,) * len(need), None)
        if have is None or any(n > size for n, size in zip(need, sizes, strict=True)):
            sizes = tuple(map(max, need, sizes))
            have = kernel.Scratch.of(*sizes)
            SCRATCH.of_thread = sizes, have
        return have


def _leads_on(behind: tuple[LayerShape, ...]) -> bool:
    """Whether more than one way leads on from the layer before these, or one past the next."""
    return any(shape.shortcut.sees_all for shape in behind) or any(
        shape.shortcut.adds_input for shape in behind[:1]
    )


def arrays_of(state: State, grads: torch.Tensor) -> kernel.StateArrays:
    """Views of a state on the CPU whose slots lie in one piece."""
    if state.best is None:
        state.best = torch.zeros_like(state.weights), torch.zeros_like(state.buffers)
    flat = (state.weights, state.buffers, state.slots.view(-1), state.updates, state.pruned, grads)
    best = {
        "best_weights": state.best[0][0].numpy(),
        "best_buffers": state.best[1][0].numpy(),
        "waiting": waiting_array(state.waiting),
    }
    return kernel.StateArrays(*(tensor.numpy() for tensor in flat), **best)


def waiting_array(waiting: Waiting) -> np.ndarray:
    loss = math.inf if waiting.loss is None else waiting.loss
    return np.array([loss, waiting.step, waiting.epoch, waiting.waited, waiting.over], dtype=np.float64)


def waiting_of(numbers: np.ndarray) -> Waiting:
    loss, step, epoch, waited, over = numbers.tolist()
    return Waiting(None if math.isinf(loss) else loss, int(step), epoch, int(waited), bool(over))


def dropout_record(rate: float, unit: int, width: int) -> tuple[Any, ...]:
    """A unit is kept if (n + 1/2) / 2**52 is at least the rate, n being one of 2**52 numbers."""
    least = max(0, math.ceil(Fraction(rate) * 2**52 - Fraction(1, 2)))
    return rate > 0, unit, width, least, np.float32(1) / np.float32(1 - rate)


def component_record(chosen: Component, components: tuple[type[Component], ...]) -> tuple[int, list[float]]:
    fields = [float(getattr(chosen, name)) for name in kernel.field_names(type(chosen))]
    return components.index(type(chosen)), fields + [0.0] * (kernel.FIELDS - len(fields))
