"""The fused trainer: the reference trainer's interface and state, with the kernel behind it.

What the kernel cannot do is left to the reference trainer: a component without fused maths or with learned
parameters of its own, another device than the CPU, and everything until the kernel is compiled.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from threading import Event

import numpy as np
import torch
from torch import Tensor

from backend import kernel
from backend.catalogue.component import Component
from backend.catalogue.datasets import Dataset
from backend.config import RunConfig
from backend.network import Network, State
from backend.randomness import stream
from backend.trainer import Judgement, Samples, Trainer

ready = Event()
"""Set once the kernel is compiled."""


class FusedTrainer(Trainer):
    chunk_steps = 8192

    @property
    def plan(self) -> "Plan | None":
        """What the kernel trains by; None where it cannot, or not yet."""
        return self._plan if ready.is_set() else None

    def _bind(self, config: RunConfig, dataset: Dataset, state: State) -> None:
        super()._bind(config, dataset, state)
        able = state.weights.device.type == "cpu" and fuses(config)
        self._plan = Plan(self.network, config, dataset, state.seeds, self._least_stride) if able else None
        self._packed: dict[int, kernel.Points] = {}

    def _run(self, steps: int) -> tuple[Samples, bool]:
        if not self.plan:
            return super()._run(steps)
        rows, finite = self.plan.train(
            self.state, steps, self._x, self._y, self._points(self._all_x, self._all_y)
        )
        samples = self._sample(rows)
        self.state.samples += len(samples)
        self._grad = self.plan.grads
        return samples, finite

    def _judge(self, x: Tensor, y: Tensor | None = None) -> Judgement:
        if not self.plan:
            return super()._judge(x, y)
        points = self._points(x, y)
        self.plan.assess(self.state, points)
        n = x.shape[1]
        return Judgement(points.loss[:n], points.shown[:n], points.sure[:n])

    def _neuron_maps(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        if not self.plan:
            return super()._neuron_maps(size)
        return self.plan.draw(self.state, self._points(self._grid(size)), size)

    def _points(self, x: Tensor, y: Tensor | None = None) -> kernel.Points:
        """Features (1, n, inputs) and targets (1, n) as the kernel reads them; x lives as long as this config."""
        if id(x) not in self._packed:
            self._packed[id(x)] = kernel.Points.of(x[0].numpy(), None if y is None else y[0].numpy())
        return self._packed[id(x)]


def fuses(config: RunConfig) -> bool:
    """Whether every component has fused maths."""
    activations = {layer.activation for layer in config.hidden} | {config.output_activation()}
    components: list[Component] = [*activations, config.loss, config.optimizer]
    return all(hasattr(c, "fused") for c in components) and not any(a.learned for a in activations)


class Plan:
    """Network and config as the kernel reads them, and the calls of the kernel."""

    def __init__(
        self, network: Network, config: RunConfig, dataset: Dataset, seeds: Tensor, least_stride: int
    ):
        self._settings = np.zeros(1, kernel.SETTING)
        setting = self._settings[0]
        setting["batch"] = config.batch_size
        setting["train"], setting["test"] = len(dataset.train_inputs), len(dataset.test_inputs)
        setting["classes"] = dataset.problem.classes
        setting["stride"] = least_stride
        setting["softmax"], setting["shuffle"] = config.loss.softmax, config.shuffle
        setting["l1"], setting["l2"] = config.l1, config.l2
        setting["clip"] = math.inf if config.clip_norm is None else config.clip_norm
        setting["loss"] = component(config.loss, kernel.LOSSES)
        setting["optimizer"] = component(config.optimizer, kernel.OPTIMIZERS)

        self._layers = np.zeros(len(network.layers), kernel.LAYER)
        self._dropouts = np.zeros(len(network.layers) + 1, kernel.DROPOUT)
        purposes = ["shuffle", *(f"dropout {place}" for place in range(len(self._dropouts)))]
        self._streams = np.stack([stream(seeds, purpose).numpy() for purpose in purposes], axis=1)
        self._streams = self._streams.view(np.uint64)
        inputs = network.layers[0].inputs
        unit, start, running = inputs, 0, 0
        self._drop(0, network.input_dropout, 0, inputs)
        for index, (shape, layer) in enumerate(zip(network.layers, self._layers, strict=True)):
            layer["inputs"], layer["width"] = shape.inputs, shape.width
            layer["source"], layer["unit"] = unit - shape.inputs, unit
            layer["batchnorm"] = shape.batchnorm
            layer["activation"] = component(shape.activation, kernel.ACTIVATIONS)
            for name, size in shape.parameters.items():
                layer[name] = start
                start += math.prod(size)
            layer["end"] = start
            for name, size in shape.buffers.items():
                layer[name] = running
                running += math.prod(size)
            self._drop(index + 1, shape.dropout, unit, shape.width)
            unit += shape.width
        self._units = unit
        self._widest = max(shape.width for shape in network.layers)
        self.grads = torch.zeros(len(seeds), network.size)

    def _drop(self, place: int, rate: float, unit: int, width: int) -> None:
        """A unit is kept if (number + 1/2) / 2**52 is at least the rate, the number one of 2**52."""
        least = max(0, math.ceil(Fraction(rate) * 2**52 - Fraction(1, 2)))
        self._dropouts[place] = (rate > 0, unit, width, least, np.float32(1) / np.float32(1 - rate))

    def train(
        self, state: State, steps: int, x: Tensor, y: Tensor, points: kernel.Points
    ) -> tuple[np.ndarray, bool]:
        """Trains; returns raw points of the history and whether all is finite."""
        rows = np.empty((steps // state.stride + 1, kernel.ROW + len(self._layers)))
        clock = np.array([state.step, state.epoch, state.cursor, state.stride])
        batch = self._settings[0]["batch"]
        row = -(-min(batch, x.shape[1]) // kernel.LANES) * kernel.LANES

        def train(place: int, first: int, last: int) -> tuple[int, bool, np.ndarray]:
            own = clock.copy()
            recorded, finite = kernel.train(
                self._settings, self._layers, self._dropouts, self._streams, own, steps, first, last,
                x[0].numpy(), y[0].numpy(), state.weights.numpy(), state.buffers.numpy(),
                state.slots.numpy().reshape(-1), state.updates.numpy(), self.grads.numpy(),
                self._scratch(place, max(row, kernel.BLOCK), x.shape[1]), points, rows,
            )  # fmt: skip
            return recorded, finite, own

        shares = np.array_split(range(len(state.seeds)), min(len(state.seeds), cores()))
        first, *others = [(place, int(share[0]), int(share[-1]) + 1) for place, share in enumerate(shares)]
        running = [pool().submit(train, *other) for other in others]
        recorded, finite, clock = train(*first)
        finite = all([future.result()[1] for future in running]) and finite
        state.step, state.epoch, state.cursor, state.stride = clock.tolist()
        return rows[:recorded], finite

    def assess(self, state: State, points: kernel.Points) -> None:
        """Fills `points` with what the first network makes of them."""
        kernel.assess(
            self._settings, self._layers, self._dropouts, state.weights[0].numpy(), state.buffers[0].numpy(),
            self._scratch(0, kernel.BLOCK, 0), points,
        )  # fmt: skip

    def draw(self, state: State, points: kernel.Points, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Maps uint8 (N, size, size) of the first network's units, and their ranges (N, 2)."""
        units = self._units - self._layers[0]["inputs"]
        maps = np.empty(units * size**2 + kernel.LANES, np.uint8)
        ranges = np.empty((units, 2), np.float32)
        kernel.draw(
            self._settings, self._layers, self._dropouts, state.weights[0].numpy(), state.buffers[0].numpy(),
            self._scratch(0, len(points.target), 0), points.features, size**2, maps, ranges,
        )  # fmt: skip
        return maps[: units * size**2].reshape(units, size, size), ranges

    def _scratch(self, place: int, row: int, samples: int) -> kernel.Scratch:
        """Memory for rows of that many samples; the networks of a worker share it, one a thread."""
        while len(scratches) <= place:
            scratches.append(kernel.Scratch.of(0, 0, 0, 0))
        have = scratches[place]
        need = ((self._units + kernel.LANES) * row, self._units, row * (self._widest + kernel.LANES), samples)
        if any(
            n > len(a) for n, a in zip(need, (have.value, have.inverse, have.turned, have.order), strict=True)
        ):
            have = scratches[place] = kernel.Scratch.of(*need)
        return have


scratches: list[kernel.Scratch] = []


def component(chosen: Component, known: tuple[type[Component], ...]) -> tuple[int, list[float]]:
    """Its code and its fields."""
    fields = [float(getattr(chosen, name)) for name in type(chosen).model_fields if name != "kind"]
    return known.index(type(chosen)), fields + [0.0] * (kernel.FIELDS - len(fields))


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool() -> ThreadPoolExecutor:
    """Threads for the other cores; made when a stack first needs them, so after any fork."""
    return ThreadPoolExecutor(cores())


def compile_kernel() -> None:
    """Compiles the kernel, or loads it from the cache."""
    from backend.config import parse

    ready.set()
    t = FusedTrainer.start(parse({}))
    t.train(1)
    t.frame()
