"""The fused trainer: the reference trainer's interface and state, with the kernel behind it.

What the kernel cannot do is left to the reference trainer: a component without fused maths or with learned
parameters of its own, another device than the CPU, and everything until the kernel is compiled.
"""

import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from threading import Event, Thread, local
from typing import Any

import numpy as np
import torch
from torch import Tensor

from backend import compiling, kernel
from backend.catalogue.component import Component
from backend.catalogue.datasets import Dataset
from backend.config import RunConfig, parse
from backend.network import Network, State
from backend.randomness import stream
from backend.trainer import Judgement, Samples, Trainer, kept

ready = Event()
"""Set once the kernel is compiled."""
PIECES = 16
"""Parts of a stack for each core: whichever is done with one takes the next."""
SCRATCH = local()


class FusedTrainer(Trainer):
    chunk_steps = 32768

    @property
    def plan(self) -> "Plan | None":
        """What the kernel trains by; None where it cannot, or not yet."""
        return self._plan if ready.is_set() and self._in_one_piece else None

    def _bind(self, config: RunConfig, dataset: Dataset, state: State) -> None:
        super()._bind(config, dataset, state)
        able = state.weights.device.type == "cpu" and fuses(config)
        self._plan = Plan(self.network, config, dataset, state.seeds, self._least_stride) if able else None
        self._packed: dict[int, tuple[Tensor, kernel.Points]] = {}
        # Cores that share a stack wait for the last at the end of each chunk; a session is one network.
        self.chunk_seconds = Trainer.chunk_seconds * (1 if len(state.seeds) == 1 else 100)

    def _adopt(self, state: State) -> None:
        super()._adopt(state)
        self._grads = torch.zeros_like(state.weights)
        self._in_one_piece = state.slots.is_contiguous()  # not so for some rows of a larger stack
        if state.weights.device.type == "cpu" and self._in_one_piece:
            flat = (state.weights, state.buffers, state.slots.view(-1), state.updates, self._grads)
            self._stack = kernel.Stack(*(tensor.numpy() for tensor in flat))

    def _run(self, steps: int) -> tuple[Samples, bool]:
        plan = self.plan
        if not plan:
            return super()._run(steps)
        data = self._x[0].numpy(), self._y[0].numpy(), self._points(self._all_x, self._all_y)
        rows, finite = plan.train(self.state, self._stack, steps, *data)
        self._grad = self._grads
        if not len(rows):
            return self._no_samples, finite
        samples = self._sample(rows)
        self.state.samples += len(samples)
        return samples, finite

    def _judge(self, x: Tensor, y: Tensor | None = None) -> Judgement:
        if not self.plan:
            return super()._judge(x, y)
        points = self._points(x, y)
        self.plan.assess(self._stack, points)
        n = x.shape[1]
        return Judgement(points.loss[:n], points.shown[:n], points.sure[:n])

    def _neuron_maps(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        if not self.plan:
            return super()._neuron_maps(size)
        return self.plan.draw(self._stack, self._points(self._grid(size)), size)

    def exercise(self) -> None:
        """One of every call of the kernel."""
        plan, points = self._plan, self._points(self._all_x, self._all_y)
        assert plan
        plan.train(self.state, self._stack, 1, self._x[0].numpy(), self._y[0].numpy(), points)
        plan.assess(self._stack, points)
        plan.draw(self._stack, points, 1)

    def _points(self, x: Tensor, y: Tensor | None = None) -> kernel.Points:
        """Features (1, n, inputs) and targets (1, n) as the kernel reads them."""

        def pack() -> tuple[Tensor, kernel.Points]:  # with x, so that its id is not another's
            return x, kernel.Points.of(x[0].numpy(), None if y is None else y[0].numpy())

        return kept(self._packed, id(x), pack)[1]


def fuses(config: RunConfig) -> bool:
    """Whether every component has fused maths."""
    activations = [*(layer.activation for layer in config.hidden), config.output_activation()]
    components = [*activations, config.loss, config.optimizer]
    return all(type(c).is_fused() for c in components)


class Plan:
    """A network and its config as the kernel reads them, and the calls of the kernel."""

    def __init__(
        self, network: Network, config: RunConfig, dataset: Dataset, seeds: Tensor, least_stride: int
    ):
        purposes = ["shuffle", *(f"dropout {place}" for place in range(len(network.dropouts)))]
        streams = np.stack([stream(seeds, purpose).numpy() for purpose in purposes], axis=1)
        self._net = kernel.Net(
            np.array([setting_of(config, dataset, least_stride)], kernel.SETTING),
            np.zeros(len(network.layers), kernel.LAYER),
            np.zeros(len(network.dropouts), kernel.DROPOUT),
            streams.view(np.uint64),
        )
        self._batch = config.batch_size
        self._inputs = network.layers[0].inputs
        self._widest = max(shape.width for shape in network.layers)
        unit, start, running = self._inputs, 0, 0
        self._net.dropouts[0] = dropout_of(network.input_dropout, 0, unit)
        for index, shape in enumerate(network.layers):
            layer = self._net.layers[index]
            layer["inputs"], layer["width"], layer["batchnorm"] = shape.inputs, shape.width, shape.batchnorm
            layer["source"], layer["unit"] = unit - shape.inputs, unit
            layer["activation"] = component_of(shape.activation, kernel.ACTIVATIONS)
            for name, size in shape.parameters.items():
                layer[name] = start
                start += math.prod(size)
            layer["end"] = start
            for name, size in shape.buffers.items():
                layer[name] = running
                running += math.prod(size)
            self._net.dropouts[index + 1] = dropout_of(shape.dropout, unit, shape.width)
            unit += shape.width
        self._units = unit

    def train(
        self,
        state: State,
        stack: kernel.Stack,
        steps: int,
        features: np.ndarray,
        target: np.ndarray,
        points: kernel.Points,
    ) -> tuple[np.ndarray, bool]:
        """Trains `stack`, which is `state`; returns raw points of the history, and whether all is finite."""
        rows = np.empty((steps // state.stride + 1, kernel.ROW + len(self._net.layers)))
        start = np.array([state.step, state.epoch, state.cursor, state.stride])
        row = max(min(self._batch, len(target)), kernel.BLOCK)

        def train(first: int, last: int) -> tuple[int, bool, np.ndarray]:
            clock, scratch = start.copy(), self._scratch(row, len(target))
            data = features, target, stack, scratch, points, rows
            return *kernel.train(self._net, clock, steps, first, last, *data), clock

        networks, threads = len(stack.weights), cores()
        pieces = min(networks, threads * PIECES) if threads > 1 else 1
        # Neighbours in memory share a cache line, so cores that work at the same time are kept far apart.
        order = sorted(range(pieces), key=lambda piece: piece * threads % pieces)
        firsts = [networks * piece // pieces for piece in order]
        lasts = [networks * (piece + 1) // pieces for piece in order]
        outcomes = list((map if pieces == 1 else pool().map)(train, firsts, lasts))
        recorded, _, end = outcomes[0]
        finite = all(whole for _, whole, _ in outcomes)
        state.step, state.epoch, state.cursor, state.stride = end.tolist()
        return rows[:recorded], finite

    def assess(self, stack: kernel.Stack, points: kernel.Points) -> None:
        """Fills `points` with what the first network makes of them."""
        scratch = self._scratch(kernel.BLOCK)
        kernel.assess(self._net, stack.weights[0], stack.buffers[0], scratch, points)

    def draw(self, stack: kernel.Stack, points: kernel.Points, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Maps uint8 (N, size, size) of the first network's units, and their ranges (N, 2)."""
        units, cells = self._units - self._inputs, size**2
        maps, ranges = np.empty(units * cells + kernel.LANES, np.uint8), np.empty((units, 2), np.float32)
        scratch = self._scratch(len(points.target))
        inputs = points.features
        kernel.draw(self._net, stack.weights[0], stack.buffers[0], scratch, inputs, cells, maps, ranges)
        return maps[: units * cells].reshape(units, size, size), ranges

    def _scratch(self, samples: int, train: int = 0) -> kernel.Scratch:
        """Memory for rows of so many samples; all networks that a thread trains share it."""
        row = -(-samples // kernel.LANES) * kernel.LANES
        rows = self._units + kernel.LANES  # `transpose` reads whole squares
        need = (rows * row, self._units, row * (self._widest + kernel.LANES), train)
        have = getattr(SCRATCH, "of_thread", None) or kernel.Scratch.of(0, 0, 0, 0)
        sizes = (len(have.value), len(have.inverse), len(have.turned), len(have.order))
        if any(n > size for n, size in zip(need, sizes, strict=True)):
            have = SCRATCH.of_thread = kernel.Scratch.of(*map(max, need, sizes))
        return have


def setting_of(config: RunConfig, dataset: Dataset, least_stride: int) -> tuple[Any, ...]:
    counts = (len(dataset.train_inputs), len(dataset.test_inputs), dataset.problem.classes)
    clip = math.inf if config.clip_norm is None else config.clip_norm
    loss = component_of(config.loss, kernel.LOSSES)
    optimizer = component_of(config.optimizer, kernel.OPTIMIZERS)
    switches = (config.loss.softmax, config.shuffle)
    return config.batch_size, *counts, least_stride, *switches, config.l1, config.l2, clip, loss, optimizer


def dropout_of(rate: float, unit: int, width: int) -> tuple[Any, ...]:
    """A unit is kept if (n + 1/2) / 2**52 is at least the rate, n being one of 2**52 numbers."""
    least = max(0, math.ceil(Fraction(rate) * 2**52 - Fraction(1, 2)))
    return rate > 0, unit, width, least, np.float32(1) / np.float32(1 - rate)


def component_of(chosen: Component, known: tuple[type[Component], ...]) -> tuple[int, list[float]]:
    fields = [float(getattr(chosen, name)) for name in kernel.field_names(type(chosen))]
    return known.index(type(chosen)), fields + [0.0] * (kernel.FIELDS - len(fields))


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool() -> ThreadPoolExecutor:
    """Threads for the other cores; made when a stack first needs them, so after any fork."""
    return ThreadPoolExecutor(cores())


def load() -> None:
    """Loads the kernel, or compiles it, by using it once; from then on it trains what it can."""
    FusedTrainer.start(parse({"data": {"kind": "circle", "samples": 4}})).exercise()
    ready.set()


def load_when_compiled() -> None:
    """In a thread of its own, so that sessions train on meanwhile."""

    def wait() -> None:
        while not compiling.is_compiled():
            time.sleep(1)
        load()

    if not ready.is_set():
        Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    load()
    compiling.note_compiled()
